package yaml_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

// A store of YAML is a store like any other; its problems are about the YAML.
func ExampleFrom() {
	file := flag.Bytes([]byte(`
flags:
  # One page instead of three.
  new-checkout:
    targets: {on: [anna]}
    rules:
      - if: {attr: country, in: [SE, NO]}
        serve: on
  export-page:
    serve: of
`))
	flags := flag.New(yaml.From(file), flag.Options{})
	fmt.Println(flags.Load(context.Background()))

	country := flag.Attr[string]("country")
	checkout := flag.ByKey("new-checkout", false)
	for _, subject := range []flag.Subject{flag.For("anna"), flag.For("bert", country.Is("NO")), flag.For("carl")} {
		fmt.Println(subject.Key(), checkout.Value(flags, &subject))
	}
	// Output:
	// flag: load embedded document: invalid document: flags.export-page.serve (line 10, column 12): unknown variant "of", want one of ["off" "on"]
	// anna true
	// bert true
	// carl false
}

// A share is raised in the file, and everything that people wrote around it stays.
func ExampleEdit() {
	file, err := yaml.Edit([]byte(`flags:
  # One page instead of three.
  new-checkout:
    targets: {on: [anna, bert]}   # the team
    ramp: {percent: 5}            # ask carl first
  export-page: {serve: on}
`), func(doc *flag.Document) error {
		checkout, found := doc.Flags["new-checkout"]
		if !found || checkout.Ramp == nil {
			return errors.New("no ramp of new-checkout")
		}
		checkout.Ramp.Share = 25 * flag.Percent // of the document
		export, found := doc.Flags["export-page"]
		if !found {
			return errors.New("no flag export-page")
		}
		export.Disabled = true
		doc.Flags["export-page"] = export
		return nil
	})
	fmt.Print(string(file))
	fmt.Println(err)
	// Output:
	// flags:
	//   # One page instead of three.
	//   new-checkout:
	//     targets: {on: [anna, bert]}   # the team
	//     ramp: {percent: 25}            # ask carl first
	//   export-page: {serve: on, disabled: true}
	// <nil>
}

// Lint is for a build or an editor.
func ExampleLint() {
	for _, problem := range yaml.Lint([]byte("flags:\n  new-checkout:\n    ramp:\n      percent: 120\n    disabled: yes\n")) {
		fmt.Println(problem)
	}
	// Output:
	// flags.new-checkout.ramp.percent (line 4, column 16): found 120, want a percentage from 0 to 100
	// flags.new-checkout.disabled (line 5, column 15): found string "yes", want true or false
}
