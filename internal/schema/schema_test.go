package schema_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/stretchr/testify/require"
)

// root is where the repository begins.
var root = filepath.Join("..", "..")

// compiled is flag/schema.json, and compiledSuite verify/schema.json.
var compiled, compiledSuite = compile("flag"), compile("verify")

// compile returns a package's schema.json under its own address, with formats checked.
func compile(pkg string) func() (*jsonschema.Schema, error) {
	return sync.OnceValues(func() (*jsonschema.Schema, error) {
		text, err := os.ReadFile(filepath.Join(root, pkg, "schema.json"))
		if err != nil {
			return nil, err
		}
		schema, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil {
			return nil, err
		}
		address := "https://raw.githubusercontent.com/guidon-go/guidon/main/" + pkg + "/schema.json"
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource(address, schema); err != nil {
			return nil, err
		}
		return c.Compile(address)
	})
}

// refusals are the places of a flag document that its schema refuses, as JSON pointers;
// "" is the whole document. The error says that the text is not JSON.
func refusals(t *testing.T, text []byte) ([]string, error) {
	t.Helper()
	return refusalsBy(t, compiled, text)
}

func refusalsBy(t *testing.T, compiled func() (*jsonschema.Schema, error), text []byte) ([]string, error) {
	t.Helper()
	schema, err := compiled()
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	var refused *jsonschema.ValidationError
	if err := schema.Validate(document); err != nil {
		require.ErrorAs(t, err, &refused)
	}
	places := leaves(refused)
	slices.Sort(places)
	return slices.Compact(places), nil
}

// leaves are where the errors stand that have no others below them. For a wrong key
// that is a place in the schema, because jsonschema v6.0.3 goes on writing into the
// place in the document.
func leaves(err *jsonschema.ValidationError) (places []string) {
	if err == nil {
		return nil
	}
	if _, key := err.ErrorKind.(*kind.PropertyNames); key {
		_, at, _ := strings.Cut(err.SchemaURL, "#")
		return []string{"keys of " + strings.TrimSuffix(at, "/propertyNames")}
	}
	if len(err.Causes) == 0 {
		place := ""
		for _, step := range err.InstanceLocation {
			place += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
		}
		return []string{place}
	}
	for _, cause := range err.Causes {
		places = append(places, leaves(cause)...)
	}
	return places
}

// accepts wants the library and the schema to take a document, and the schema to
// take what the library writes back. It returns what was read.
func accepts(t *testing.T, text []byte) flag.Document {
	t.Helper()
	doc, err := flag.Parse(text)
	require.NoError(t, err)
	_, err = flag.Compile(doc)
	require.NoError(t, err)
	places, err := refusals(t, text)
	require.NoError(t, err)
	require.Empty(t, places, "the schema refuses what the library reads:\n%s", text)
	written, err := json.Marshal(doc)
	require.NoError(t, err)
	places, err = refusals(t, written)
	require.NoError(t, err)
	require.Empty(t, places, "the schema refuses what the library writes:\n%s", written)
	return doc
}

// place is where a table's snippets are put, and the pointer to there.
type place struct{ around, at string }

var (
	document  = place{`%s`, ""}
	aFlag     = place{`{"flags": {"f": %s}}`, "/flags/f"}
	aRule     = place{`{"flags": {"f": {"rules": [%s]}}}`, "/flags/f/rules/0"}
	aRamp     = place{`{"flags": {"f": {"ramp": %s}}}`, "/flags/f/ramp"}
	aPart     = place{`{"flags": {"f": {"split": {"parts": [%s]}}}}`, "/flags/f/split/parts/0"}
	condition = place{`{"flags": {"f": {"when": %s}}}`, "/flags/f/when"}
	aSegment  = place{`{"flags": {}, "segments": {"s": %s}}`, "/segments/s"}
	aLayer    = place{`{"flags": {}, "layers": {"l": %s}}`, "/layers/l"}
)

func (p place) document(snippet string) []byte {
	return []byte(strings.Replace(p.around, "%s", snippet, 1))
}

// structural says whether reading found a mistake that a schema can see. It cannot
// see duplicates, bytes, depth, which years there are, and how a number is written.
func structural(err error) bool {
	var problems flag.Problems
	return errors.As(err, &problems) && slices.ContainsFunc(problems, func(p flag.Problem) bool {
		return !slices.ContainsFunc([]string{
			"duplicate key", "want UTF-8", "nested deeper", "as a plain decimal", "the smallest share",
			"found -0, want", "lone surrogate", "want a time from 1678 to 2262",
		}, func(unseen string) bool { return strings.Contains(p.Text, unseen) })
	})
}
