package jsontree

// keys finds the duplicate keys of one object.
type keys struct {
	from  int              // where the object's members begin among the open nodes
	index map[string]int32 // where each key begins; nil as long as there are few
}

// few is up to how many keys are compared one by one, which takes less time than
// a map does.
const few = 24

// add takes the key that begins at offset at, before its member is among the open
// nodes. If the object has the key already, it says where.
func (k *keys) add(open []Node, key string, at int32) (first int32, duplicate bool) {
	members := open[k.from:]
	if len(members) < few {
		for i := range members {
			if members[i].Key == key {
				return members[i].key, true
			}
		}
		return 0, false
	}
	if k.index == nil {
		k.index = make(map[string]int32, 2*few)
		for i := range members {
			k.index[members[i].Key] = members[i].key
		}
	}
	if first, duplicate = k.index[key]; !duplicate {
		k.index[key] = at
	}
	return first, duplicate
}
