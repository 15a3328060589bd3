package bench

import (
	"fmt"
	"math/rand/v2"
)

// User is what a request knows of who sent it: plain data, from which every
// system builds its own kind of context.
type User struct {
	ID      string // 16 bytes
	Country string
	Plan    string
	Age     int
	Email   string
}

const (
	userCount   = 64_000 // more than a branch predictor or a first-level cache remembers
	memberCount = 10_000 // ids in the list of S4
	memberWalk  = 20_000 // users that S4 walks; half of them are members
	cycleCount  = 10_000 // flags of S6
)

// users are the same in every run: three quarters are made to match one of the
// three rules of the first S3 flag, in equal parts, the others match none. They
// are shuffled, so that there is no period to learn.
var users = makeUsers()

// members are the ids in the list of S4: every other one of those it walks.
var members = makeMembers()

func makeUsers() []User {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]User, userCount)
	for i := range all {
		id := fmt.Sprintf("%016x", random.Uint64())
		all[i] = User{ID: id, Email: id + "@example.com"}
		if class := i % 4; class < ruleCount {
			all[i].match(rules(0)[class], random)
		} else {
			all[i].matchNone(rules(0), random)
		}
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// match makes the user one whom the rule is true of.
func (u *User) match(r rule, random *rand.Rand) {
	u.Country = r.countries[random.IntN(len(r.countries))]
	u.Plan = r.plan
	u.Age = r.age + random.IntN(oldest-r.age)
}

// matchNone makes the user anybody whom no rule is true of.
func (u *User) matchNone(rules [ruleCount]rule, random *rand.Rand) {
	for u.Country == "" || matchesAny(rules, u) {
		list := countries[random.IntN(len(countries))]
		u.Country = list[random.IntN(len(list))]
		u.Plan = plans[random.IntN(len(plans))]
		u.Age = youngest + random.IntN(oldest-youngest)
	}
}

func makeMembers() []string {
	random := rand.New(rand.NewPCG(3, 4))
	ids := make([]string, memberCount)
	for i, at := range random.Perm(memberWalk)[:memberCount] {
		ids[i] = users[at].ID
	}
	return ids
}

// Walk goes through the users, round and round. It is a value, so that it stays
// in registers.
type Walk struct {
	At    int // the user whose turn it is
	Left  int // how many turns there are
	Users int // how many users there are, from the first
}

// over walks the first so many users, n turns in all.
func over(users, n int) Walk { return Walk{Left: n, Users: users} }

func (w Walk) next() Walk {
	w.Left--
	w.At = nextOf(w.At, w.Users)
	return w
}

// nextOf counts from 0 to count-1, and again from 0.
func nextOf(i, count int) int {
	if i++; i == count {
		return 0
	}
	return i
}

// one counts an answer, so that no loop can be optimised away.
func one(on bool) int {
	if on {
		return 1
	}
	return 0
}
