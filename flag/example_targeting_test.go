package flag_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// What the examples of targeting know about a subject.
var (
	Email   = flag.Attr[string]("email")
	Version = flag.Attr[string]("app-version")
	Address = flag.Attr[string]("address")
	Age     = flag.Attr[int]("customer-age")
	Groups  = flag.Attr[[]string]("groups")
	Tenant  = flag.Attr[int64]("tenant-number")
)

// serving loads a document that an example knows to be right.
func serving(document string) *flag.Store {
	flags := flag.New(flag.Bytes([]byte(document)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	return flags
}

func decide(flags *flag.Store, key string, subject flag.Subject) {
	d := flag.ByKey(key, false).Decide(flags, &subject)
	fmt.Println(d.Value, "by", d.Reason)
}

// Every operator; DOCUMENTS.md has them in a table.
func ExampleCondition() {
	conditions := `{"attr": "email", "suffix": "@example.com", "fold": true}
		{"attr": "app-version", "semver": "^2.1"}
		{"attr": "address", "cidr": ["10.0.0.0/8", "2001:db8::/32"]}
		{"attr": "customer-age", "ge": 18}
		{"attr": "groups", "in": ["staff", "beta"]}
		{"attr": "email", "matches": "^anna@"}
		{"not": {"attr": "tenant-number", "eq": 7}}`
	subject := flag.For("anna", Email.Is("Anna@Example.COM"), Version.Is("2.4.0-rc.1"), Address.Is("::ffff:10.1.2.3"),
		Age.Is(17), Groups.Is([]string{"sales", "beta"}))
	for condition := range strings.Lines(conditions) {
		flags := serving(`{"flags": {"demo": {"rules": [{"if": ` + condition + `, "serve": "on"}]}}}`)
		fmt.Println(flag.ByKey("demo", false).Value(flags, &subject), strings.TrimSpace(condition))
	}
	// The last is not true: nothing is known about the tenant, so nothing is known about
	// the opposite either.

	// Output:
	// true {"attr": "email", "suffix": "@example.com", "fold": true}
	// true {"attr": "app-version", "semver": "^2.1"}
	// true {"attr": "address", "cidr": ["10.0.0.0/8", "2001:db8::/32"]}
	// false {"attr": "customer-age", "ge": 18}
	// true {"attr": "groups", "in": ["staff", "beta"]}
	// false {"attr": "email", "matches": "^anna@"}
	// false {"not": {"attr": "tenant-number", "eq": 7}}
}

// A document can be written in Go, too.
func ExampleCompile() {
	set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{
		"exports": {Rules: []flag.Rule{{
			If:   flag.Condition{All: []flag.Condition{{Attr: "customer-age", Ge: 18}, {Attr: "app-version", Semver: ">=2.0.0"}}},
			Ramp: &flag.Ramp{Share: 50 * flag.Percent},
		}}},
	}})
	view := set.View(flag.For("user-2", Age.Is(30), Version.Is("2.0.1")))
	fmt.Println(flag.ByKey("exports", false).From(view), err)
	// Output: true <nil>
}

// A segment is a set of subjects with a name. It can list hundreds of thousands.
func ExampleSegment() {
	flags := serving(`{
		"flags": {"exports": {"rules": [{"if": {"segment": "testers"}, "serve": "on"}]}},
		"segments": {"testers": {"keys": ["carl"], "except": ["dora"], "if": {"attr": "email", "suffix": "@example.com"}}}}`)
	decide(flags, "exports", flag.For("carl"))
	decide(flags, "exports", flag.For("anna", Email.Is("anna@example.com")))
	decide(flags, "exports", flag.For("dora", Email.Is("dora@example.com")))
	// Output:
	// true by rule
	// true by rule
	// false by serve
}

// Targets are individual subjects; they are found before any rule is tried.
func ExampleFeatureFlag_targets() {
	flags := serving(`{"flags": {"exports": {"targets": {"on": ["anna"], "off": ["bert"]}, "ramp": {"percent": 100}}}}`)
	decide(flags, "exports", flag.For("anna"))
	decide(flags, "exports", flag.For("bert"))
	decide(flags, "exports", flag.For("carl"))
	// Output:
	// true by target
	// false by target
	// true by ramp
}

// A prerequisite and a window of time stand together in when.
func ExampleFeatureFlag_when() {
	flags := serving(`{"flags": {
		"new-billing": {"targets": {"on": ["anna"]}},
		"invoices": {"when": {"all": [{"flag": "new-billing"}, {"time": {"from": "2026-12-01T08:00:00Z"}}]}, "serve": "on"}}}`)
	launch := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	decide(flags, "invoices", flag.For("anna").At(launch.Add(-time.Second)))
	decide(flags, "invoices", flag.For("anna").At(launch))
	decide(flags, "invoices", flag.For("bert").At(launch))
	// Output:
	// false by when
	// true by serve
	// false by when
}

// A scheduled ramp grows with the clock. Every process computes the same share.
func ExampleRamp_schedule() {
	flags := serving(`{"flags": {"exports": {"ramp": {"percent": 0, "linear": true, "schedule": [
		{"at": "2026-12-01T00:00:00Z", "percent": 0}, {"at": "2026-12-05T00:00:00Z", "percent": 100}]}}}}`)
	for day := 1; day <= 5; day++ {
		subject := flag.For("user-1").At(time.Date(2026, 12, day, 0, 0, 0, 0, time.UTC))
		d := flag.ByKey("exports", false).Decide(flags, &subject)
		fmt.Printf("December %d: %v, slot %d of %v\n", day, d.Value, d.Slot, d.Ramp)
	}
	// Output:
	// December 1: false, slot 55536 of 0 %
	// December 2: false, slot 55536 of 25 %
	// December 3: false, slot 55536 of 50 %
	// December 4: true, slot 55536 of 75 %
	// December 5: true, slot 55536 of 100 %
}

// A ramp by an attribute takes everybody of a tenant along.
func ExampleRamp_by() {
	flags := serving(`{"flags": {"exports": {"ramp": {"percent": 50, "by": "tenant-number"}}}}`)
	for _, user := range []string{"anna", "bert"} {
		decide(flags, "exports", flag.For(user, Tenant.Is(5)))
	}
	decide(flags, "exports", flag.For("carl")) // has no tenant
	// Output:
	// true by ramp
	// true by ramp
	// false by no unit
}

// Who is looked up by a number has the same unit as who is looked up by its digits.
func ExampleForInt() {
	flags := serving(`{"flags": {"exports": {"ramp": {"percent": 50}}}}`)
	exports := flag.ByKey("exports", false)
	number, text := flag.ForInt(42), flag.For("42")
	fmt.Println(exports.Decide(flags, &number).Slot == exports.Decide(flags, &text).Slot)
	// Output: true
}
