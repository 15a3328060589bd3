package flag_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/guidon-go/guidon/flag"
)

// A service starts while its source of documents is away: it serves the last good copy,
// says so, and still knows what was killed before.
func ExampleOptions_state() {
	folder, err := os.MkdirTemp("", "flags")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	options := flag.Options{State: filepath.Join(folder, "flags.state")}

	document := flag.Bytes([]byte(`{"flags": {"new-checkout": {"serve": "on"}, "new-search": {"serve": "on"}}}`))
	flags := flag.New(document, options)
	fmt.Println("first start:", flags.Load(context.Background()))
	fmt.Println("kill:", flags.Kill("new-checkout", flag.Change{Actor: "ann", Reason: "payments fail"}))

	// The process ends, however that goes, and the next one begins.
	away := flag.SourceFunc(func(context.Context) ([]byte, error) { return nil, errors.New("no route to host") })
	flags = flag.New(away, options)
	problem := flags.Load(context.Background()).Error()
	before, _, _ := strings.Cut(problem, " of 2") // the time
	fmt.Println("second start:", before)
	for status := range flags.All() {
		fmt.Println(status.Key, "serves", status.Serve, "and is killed:", status.Killed, status.OverlaidBy.Reason)
	}
	// Output:
	// first start: <nil>
	// kill: <nil>
	// second start: flag: load document: no route to host; what serves is the document
	// new-checkout serves on and is killed: true payments fail
	// new-search serves on and is killed: false
}

// Whoever develops tries a flag without touching the document.
func ExampleOptions_env() {
	os.Setenv("SHOP_FLAG_NEW_CHECKOUT", "on")
	os.Setenv("SHOP_FLAG_NEW_SERACH", "on")
	defer os.Unsetenv("SHOP_FLAG_NEW_CHECKOUT")
	defer os.Unsetenv("SHOP_FLAG_NEW_SERACH")

	document := flag.Bytes([]byte(`{"flags": {"new-checkout": {}, "new-search": {}}}`))
	flags := flag.New(document, flag.Options{Env: "SHOP_FLAG_"})
	fmt.Println(flags.Load(context.Background()))
	subject := flag.For("anybody")
	fmt.Println(flag.Bool("new-checkout", false).Value(flags, &subject))
	// Output:
	// flag: override by SHOP_FLAG_NEW_SERACH: there is no flag of that name
	// true
}

// A document may be a file of any file system: embedded in the program, or in a test.
func ExampleFS() {
	fsys := fstest.MapFS{"flags.json": {Data: []byte(`{"flags": {"new-search": {"serve": "on"}}}`)}} // or an embed.FS
	flags := flag.New(flag.FS(fsys, "flags.json"), flag.Options{})
	fmt.Println(flags.Load(context.Background()))
	subject := flag.For("anybody")
	fmt.Println(flag.Bool("new-search", false).Value(flags, &subject))
	// Output:
	// <nil>
	// true
}
