package flag_test

import (
	"fmt"
	"net/http"

	"github.com/guidon-go/guidon/flag"
)

// Who has signed in stays on his side; who has not may change sides with each
// request, but is counted.
func ExampleAnonymous() {
	who := func(r *http.Request) flag.Subject {
		if user := r.Header.Get("X-User"); user != "" {
			return flag.For(user)
		}
		return flag.Anonymous()
	}
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	one, two := who(r), who(r)
	fmt.Println(one.Key() == two.Key())
	r.Header.Set("X-User", "ada")
	one, two = who(r), who(r)
	fmt.Println(one.Key() == two.Key())
	// Output:
	// false
	// true
}
