package yaml_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

// files are 10,000 flags of three rules each as JSON, and as YAML.
func files() (asJSON, asYAML []byte) {
	var j, y bytes.Buffer
	j.WriteString(`{"flags":{`)
	y.WriteString("flags:\n")
	for i := range 10_000 {
		if i > 0 {
			j.WriteString(",\n")
		}
		fmt.Fprintf(&j, `"flag-%05d":{"description":"Flag %d: one page instead of three","rules":[`, i, i)
		fmt.Fprintf(&y, "  # Since May.\n  flag-%05d:\n    description: \"Flag %d: one page instead of three\"\n    rules:\n", i, i)
		for k, plan := range []string{"free", "pro", "enterprise"} {
			if k > 0 {
				j.WriteByte(',')
			}
			fmt.Fprintf(&j, `{"if":{"all":[{"attr":"country","in":["SE","NO","DK"]},{"attr":"plan","eq":%q},{"attr":"age","ge":%d}]},"serve":"on"}`, plan, 18+i%50)
			fmt.Fprintf(&y, "      - if:\n          all:\n            - {attr: country, in: [SE, NO, DK]}\n            - {attr: plan, eq: %s}\n            - {attr: age, ge: %d}\n        serve: on\n", plan, 18+i%50)
		}
		fmt.Fprintf(&j, `],"ramp":{"percent":%d.5}}`, i%100)
		fmt.Fprintf(&y, "    ramp: {percent: %d.5}\n", i%100)
	}
	j.WriteString("}}\n")
	return j.Bytes(), y.Bytes()
}

// BenchmarkRead reads and compiles 10,000 flags: what a store does with a file that has
// changed.
func BenchmarkRead(b *testing.B) {
	asJSON, asYAML := files()
	load := func(source func() flag.Source) func(b *testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, flag.New(source(), flag.Options{Strict: true}).Load(b.Context()))
			}
		}
	}
	b.Run("JSON", load(func() flag.Source { return flag.Bytes(asJSON) }))
	b.Run("YAML", load(func() flag.Source { return yaml.From(flag.Bytes(asYAML)) }))
}

// BenchmarkUnchanged asks a source for the same file again, as a store does every second.
func BenchmarkUnchanged(b *testing.B) {
	asJSON, asYAML := files()
	for _, s := range []struct {
		name   string
		source flag.Source
	}{{"JSON", flag.Bytes(asJSON)}, {"YAML", yaml.From(flag.Bytes(asYAML))}} {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := s.source.Read(b.Context())
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkEdit sets a share in the last of 10,000 flags.
func BenchmarkEdit(b *testing.B) {
	_, asYAML := files()
	b.ReportAllocs()
	for b.Loop() {
		_, err := yaml.Edit(asYAML, sets("flag-09999", 7*flag.Percent))
		require.NoError(b, err)
	}
}

func sets(key string, to flag.Share) func(doc *flag.Document) error {
	return func(doc *flag.Document) error {
		doc.Flags[key].Ramp.Share = to
		return nil
	}
}
