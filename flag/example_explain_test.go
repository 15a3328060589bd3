package flag_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/guidon-go/guidon/flag"
)

// Why does this user not see the new checkout?
func ExampleStore_Explain() {
	flags := serving(`{"flags": {"checkout": {
		"rules": [
			{"if": {"attr": "country", "in": ["DE", "FR"]}, "serve": "on"},
			{"if": {"all": [{"attr": "customer-age", "ge": 18}, {"segment": "testers"}]}, "serve": "on"}],
		"ramp": {"percent": 25}}},
		"segments": {"testers": {"if": {"attr": "email", "suffix": "@example.com"}}}}`)
	subject := flag.For("user-7", Country.Is("SE"), Age.Is(17))
	fmt.Print(flags.Explain("checkout", &subject))
	// Output:
	// checkout serves "off" to "user-7" by ramp
	//   ✗ rules[0]
	//     ✗ country is "SE", want one of ["DE" "FR"]
	//   ✗ rules[1]
	//     ✗ all of 2
	//       ✗ customer-age is 17, want a number of at least 18
	//       ? segment "testers"
	//         ? attribute email is missing, want a string that ends with "@example.com"
	//   ✗ ramp 25 %: slot 58,597 is not below 25,000 (25 %)
	//   ✓ serve -> "off"
}

// What is shown to others hides the key and all values but those that are named.
func ExampleExplanation_Redact() {
	flags := serving(`{"flags": {"checkout": {"rules": [
		{"if": {"all": [{"attr": "country", "eq": "SE"}, {"attr": "customer-age", "ge": 18}]}, "serve": "on"}]}}}`)
	subject := flag.For("user-7", Country.Is("SE"), Age.Is(17))
	fmt.Print(flags.Explain("checkout", &subject).Redact("country"))
	// Output:
	// checkout serves "off" to a hidden key by serve
	//   ✗ rules[0]
	//     ✗ all of 2
	//       ✓ country = "SE": country is "SE"
	//       ✗ customer-age is hidden, want a number of at least 18
	//   ✓ serve -> "off"
}

// An explanation in JSON is a record of the decision. It can be decided again, also as a
// proposed document would have it.
func ExampleSet_Replay() {
	const document = `{"flags": {"checkout": {"rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "on"}]}}}`
	set := func(document string) *flag.Set {
		doc, err := flag.Parse([]byte(document))
		if err != nil {
			fmt.Println(err)
		}
		set, err := flag.Compile(doc)
		if err != nil {
			fmt.Println(err)
		}
		return set
	}
	subject := flag.For("user-7", Country.Is("SE"), Email.Is("anna@example.com"))
	log, err := json.Marshal(set(document).Explain("checkout", &subject))
	fmt.Println(len(log) > 0, err)

	// Later, in another process:
	var record flag.Explanation
	if err := json.Unmarshal(log, &record); err != nil {
		fmt.Println(err)
	}
	for _, seen := range record.Attributes { // the e-mail was not asked for
		fmt.Println(seen)
	}
	for _, proposed := range []string{document, strings.Replace(document, `"SE"`, `"NO"`, 1)} {
		replay, err := set(proposed).Replay(record)
		fmt.Println(record.Same(replay), replay.Variant, err)
	}
	// Output:
	// true <nil>
	// country is "SE"
	// true on <nil>
	// false off <nil>
}
