package lint_test

import (
	"go/ast"
	"path"
	"strings"
	"testing"
)

// TestHooks wants every hook of the core, a field OnX of a function, to be taken by
// logs.Hooks in the test of that, which says so to whoever adds one.
func TestHooks(t *testing.T) { holds(t, unloggedHooks) }

func TestHooksCatches(t *testing.T) {
	const log = "package logs_test\n\nimport (\n\t\"" + module + "/flag\"\n\tother \"" + module + "/strategy/process\"\n)\n\n" +
		"var _, _ = flag.Options{OnLoad: nil}, other.Options{OnExit: nil}\n"
	catches(t, unloggedHooks, []planted{{
		name: "one that is not logged",
		files: map[string]string{
			"rollout/logs/hooks_test.go":  log,
			"flag/a.go":                   "package flag\n\ntype Options struct {\n\tOnLoad func()\n\tOnChange, Only func()\n\tOnce bool\n\tOnset int\n\tonTold func()\n}\n",
			"strategy/process/options.go": "package process\n\ntype Options struct{ OnExit func() }\n",
			"health/a.go":                 "package health\n\ntype MonitorOptions struct{ OnLoad func(int) }\n",
			"flag/yaml/go.mod":            "module " + module + "/flag/yaml\n",
			"flag/yaml/a.go":              "package yaml\n\ntype Options struct{ OnBend func() }\n",
		},
		want: []string{
			"flag/a.go:5: flag.Options.OnChange is not given to logs.Hooks in rollout/logs/hooks_test.go",
			"health/a.go:3: health.MonitorOptions.OnLoad is not given to logs.Hooks in rollout/logs/hooks_test.go",
		},
	}})
}

func unloggedHooks(_ *testing.T, r repo) []string {
	logged := map[string]bool{} // "flag.Options.OnLoad"
	for _, f := range r.files {
		if f.path != "rollout/logs/hooks_test.go" {
			continue
		}
		folder := map[string]string{} // by the name that the file calls it
		for _, spec := range f.syntax.Imports {
			at := strings.TrimPrefix(strings.Trim(spec.Path.Value, `"`), module+"/")
			folder[path.Base(at)] = at
			if spec.Name != nil {
				folder[spec.Name.Name] = at
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			lit, _ := n.(*ast.CompositeLit)
			if lit == nil {
				return true
			}
			if of, ok := lit.Type.(*ast.SelectorExpr); ok {
				for _, e := range lit.Elts {
					if pair, ok := e.(*ast.KeyValueExpr); ok {
						logged[folder[of.X.(*ast.Ident).Name]+"."+of.Sel.Name+"."+pair.Key.(*ast.Ident).Name] = true
					}
				}
			}
			return true
		})
	}
	var problems []string
	for _, f := range r.files {
		if !f.public() || f.module != "." {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			spec, _ := n.(*ast.TypeSpec)
			if spec == nil {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			for _, field := range fields.Fields.List {
				if _, calls := field.Type.(*ast.FuncType); !calls {
					continue
				}
				for _, name := range field.Names {
					hook := f.dir() + "." + spec.Name.Name + "." + name.Name
					if strings.HasPrefix(name.Name, "On") && ast.IsExported(name.Name[2:]) && !logged[hook] {
						problems = append(problems, r.at(name.Pos())+": "+hook+" is not given to logs.Hooks in rollout/logs/hooks_test.go")
					}
				}
			}
			return true
		})
	}
	return problems
}
