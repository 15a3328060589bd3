package jsontree_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/jsontree"
	"github.com/guidon-go/guidon/internal/percent"
)

// The types have the shape of a flag document, which is what is read most.
type (
	benchDocument struct {
		Flags    map[string]benchFlag `json:"flags"`
		Segments map[string]benchCond `json:"segments"`
	}
	benchFlag struct {
		Description string              `json:"description"`
		Disabled    bool                `json:"disabled"`
		Variants    map[string]any      `json:"variants"`
		Off         string              `json:"off"`
		Salt        string              `json:"salt"`
		When        *benchCond          `json:"when"`
		Targets     map[string][]string `json:"targets"`
		Rules       []benchRule         `json:"rules"`
		Ramp        *benchRamp          `json:"ramp"`
		Split       *benchRamp          `json:"split"`
		Serve       string              `json:"serve"`
	}
	benchRule struct {
		If    benchCond  `json:"if"`
		Serve string     `json:"serve"`
		Ramp  *benchRamp `json:"ramp"`
		Split *benchRamp `json:"split"`
	}
	benchRamp struct {
		Share    benchShare `json:"percent"`
		Serve    string     `json:"serve"`
		Salt     string     `json:"salt"`
		By       string     `json:"by"`
		Schedule []struct {
			At    time.Time  `json:"at"`
			Share benchShare `json:"percent"`
		} `json:"schedule"`
		Linear bool `json:"linear"`
	}
	benchCond struct {
		Attr     string      `json:"attr"`
		Eq       any         `json:"eq"`
		In       []any       `json:"in"`
		Lt       any         `json:"lt"`
		Le       any         `json:"le"`
		Gt       any         `json:"gt"`
		Ge       any         `json:"ge"`
		Prefix   string      `json:"prefix"`
		Suffix   string      `json:"suffix"`
		Contains string      `json:"contains"`
		Fold     bool        `json:"fold"`
		Matches  string      `json:"matches"`
		Semver   string      `json:"semver"`
		Before   time.Time   `json:"before"`
		After    time.Time   `json:"after"`
		CIDR     []string    `json:"cidr"`
		Exists   bool        `json:"exists"`
		Missing  bool        `json:"missing"`
		Segment  string      `json:"segment"`
		Flag     string      `json:"flag"`
		Serves   []string    `json:"serves"`
		Time     *struct{}   `json:"time"`
		All      []benchCond `json:"all"`
		Any      []benchCond `json:"any"`
		Not      *benchCond  `json:"not"`
	}
	benchShare int32
)

func (s *benchShare) UnmarshalJSON(data []byte) error {
	n, err := percent.Parse(string(data))
	*s = benchShare(n)
	return err
}

// benchText is a document of 10,000 flags with three rules each, some 500 bytes
// a flag.
func benchText() []byte {
	var b bytes.Buffer
	b.WriteString(`{"flags":{`)
	for i := range 10_000 {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `"flag-%05d":{"description":"Flag %d: one page instead of three","rules":[`, i, i)
		for j, plan := range []string{"free", "pro", "enterprise"} {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"if":{"all":[{"attr":"country","in":["SE","NO","DK"]},{"attr":"plan","eq":%q},{"attr":"age","ge":%d}]},"serve":"on"}`, plan, 18+i%50)
		}
		fmt.Fprintf(&b, `],"ramp":{"percent":%d.5}}`, i%100)
	}
	b.WriteString("}}\n")
	return b.Bytes()
}

func BenchmarkParse(b *testing.B) {
	benchmark(b, func(data []byte) (any, error) { return jsontree.Parse(data) })
}

func BenchmarkDecode(b *testing.B) {
	benchmark(b, func(data []byte) (any, error) {
		var doc benchDocument
		root, err := jsontree.Parse(data)
		if err != nil {
			return nil, err
		}
		return &doc, root.Decode("", &doc)
	})
}

func BenchmarkEncodingJSONAny(b *testing.B) {
	benchmark(b, func(data []byte) (any, error) {
		var v any
		err := json.Unmarshal(data, &v)
		return v, err
	})
}

// benchmark also reports the memory that the result holds, in MB.
func benchmark(b *testing.B, read func([]byte) (any, error)) {
	data := benchText()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := read(data)
		require.NoError(b, err)
	}
	before := heap()
	result, err := read(data)
	require.NoError(b, err)
	b.ReportMetric(float64(heap()-before)/1e6, "live-MB")
	runtime.KeepAlive(result)
	runtime.KeepAlive(data)
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
