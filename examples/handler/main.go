// Handler is a web server whose handler asks three flags: who gets what stands in
// flags.json. It sends itself some requests, changes flags while it serves, and ends.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
)

var (
	newCheckout = flag.Bool("new-checkout", false)
	button      = flag.String("button", "#888")
	cartLimit   = flag.Int("cart-limit", 10)

	country = flag.Attr[string]("country")
	plan    = flag.Attr[string]("plan")
	email   = flag.Attr[string]("email")
)

//go:embed flags.json
var document []byte

// who says whom a request is for. A real service takes it from its session.
func who(r *http.Request) flag.Subject {
	q := r.URL.Query()
	return flag.For(q.Get("user"), country.Is(q.Get("country")), plan.Is(q.Get("plan")), email.Is(q.Get("email")))
}

func checkout(w http.ResponseWriter, r *http.Request) {
	pages := 3
	if newCheckout.On(r.Context()) {
		pages = 1
	}
	why := newCheckout.DecideFrom(flag.FromContext(r.Context()))
	fmt.Fprintf(w, "%d pages (%v), button %s, at most %d items", pages, why.Reason, button.In(r.Context()), cartLimit.In(r.Context()))
}

func main() {
	flags := flag.New(flag.Bytes(document), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(flaghttp.Middleware(flags, who)(http.HandlerFunc(checkout)))
	defer server.Close()
	ask := func(query string) {
		answer, err := http.Get(server.URL + "/?" + query)
		if err != nil {
			log.Fatal(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		fmt.Printf("%-40s %s\n", query, body)
	}
	everybody := func(title string) {
		fmt.Println(title)
		ask("user=anna&country=SE&plan=pro")
		ask("user=bert&country=DE")
		ask("user=carl")
		ask("user=dora&email=Dora@Example.COM")
	}
	me := flag.Change{Actor: "anna", Reason: "to show it"}
	everybody("as the document has it")
	must(flags.SetRamp("new-checkout", flag.Ramp{Share: 100 * flag.Percent}, me))
	everybody("\nthe ramp at 100 %")
	must(flags.Kill("new-checkout", me))
	everybody("\nkilled: off for everybody, testers included")

	status, err := flags.Status("new-checkout")
	must(err)
	fmt.Printf("\nnew-checkout was decided %d times on, %d times off\n", status.Counts["on"], status.Counts["off"])
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
