package yaml_test

import (
	"context"
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
