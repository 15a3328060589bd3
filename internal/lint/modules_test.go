package lint_test

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestModules wants each nested module to be named by its place and to build
// against this checkout. Who imports it does not see its replace lines.
func TestModules(t *testing.T) { holds(t, badModules) }

func TestModulesCatches(t *testing.T) {
	mod := func(name, rest string) string { return "module " + module + "/" + name + "\n\ngo 1.26\n\n" + rest }
	const version = " v0.0.0\n"
	catches(t, badModules, []planted{
		{name: "in order", files: map[string]string{
			"flag/yaml/go.mod":      mod("flag/yaml", "require "+module+version+"replace "+module+" => ../..\n"),
			"examples/x/go.mod":     mod("examples/x", "require "+module+"/flag/yaml"+version+"replace "+module+"/flag/yaml => ../../flag/yaml\n"),
			"rollout/alone/go.mod":  mod("rollout/alone", ""),
			"internal/tools/go.mod": "module tools\n\nrequire " + module + version,
			"flag/testdata/go.mod":  "module fixture\n",
		}},
		{name: "out of order", files: map[string]string{
			"flag/yaml/go.mod":    mod("flag/yaml", "require "+module+version+"replace "+module+" => ../\n"),
			"rollout/etcd/go.mod": mod("rollout/etcd", "require "+module+version+"replace go.etcd.io/etcd => example.com/fork v1.0.0\n"),
			"rollout/prom/go.mod": "module example.com/prom\n",
		}, want: []string{
			"flag/yaml/go.mod replaces " + module + " by ../, want ../..",
			"rollout/etcd/go.mod replaces go.etcd.io/etcd: nobody who imports us would get that",
			"rollout/etcd/go.mod requires " + module + ", but has no: replace " + module + " => ../..",
			"rollout/prom/go.mod is module example.com/prom, want " + module + "/rollout/prom",
		}},
	})
}

func badModules(t *testing.T, r repo) []string {
	var problems []string
	for _, dir := range r.modules {
		if dir == "internal/tools" || strings.HasPrefix(dir, "internal/tools/") {
			continue
		}
		var mod struct {
			Module  struct{ Path string }
			Require []struct{ Path string }
			Replace []struct{ Old, New struct{ Path string } }
		}
		if err := json.Unmarshal(goCommand(t, filepath.Join(r.root, dir), "mod", "edit", "-json"), &mod); err != nil {
			t.Fatal(err)
		}
		bad := func(format string, args ...any) {
			problems = append(problems, dir+"/go.mod "+fmt.Sprintf(format, args...))
		}
		if want := path.Join(module, dir); mod.Module.Path != want {
			bad("is module %s, want %s", mod.Module.Path, want)
		}
		replaced := map[string]bool{}
		for _, r := range mod.Replace {
			replaced[r.Old.Path] = true
			if want, ours := wayTo(dir, r.Old.Path); !ours {
				bad("replaces %s: nobody who imports us would get that", r.Old.Path)
			} else if r.New.Path != want {
				bad("replaces %s by %s, want %s", r.Old.Path, r.New.Path, want)
			}
		}
		for _, r := range mod.Require {
			if want, ours := wayTo(dir, r.Path); ours && !replaced[r.Path] {
				bad("requires %s, but has no: replace %s => %s", r.Path, r.Path, want)
			}
		}
	}
	return problems
}

// wayTo is the relative path from a directory to a module of ours.
func wayTo(dir, modulePath string) (string, bool) {
	rest, ours := strings.CutPrefix(modulePath+"/", module+"/")
	if !ours {
		return "", false
	}
	up := strings.Repeat("../", strings.Count(dir, "/")+1)
	return path.Join(up, rest), true
}
