// Handler is a web server whose handler asks three flags: who gets what stands in
// flags.json. A tester overrides them for a request of his own, and whoever is on call
// has a kill switch. It sends itself some requests, and ends.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

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

// kill is the emergency rollback, for whoever is on call. A real service asks first who
// that is.
func kill(flags *flag.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := flags.Kill(r.PathValue("flag"), flag.Change{Actor: r.FormValue("actor"), Reason: r.FormValue("reason")})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}
}

func main() {
	flags := flag.New(flag.Bytes(document), flag.Options{OnChange: func(c flag.ChangeInfo) {
		fmt.Printf("\n%s of %s by %s: %s\n", c.Op, c.Key, c.Change.Actor, c.Change.Reason)
	}})
	must(flags.Load(context.Background()))
	testers, err := flaghttp.NewTesters([]byte("a real one is random, and in no repository"), flaghttp.TesterOptions{})
	must(err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", checkout)
	mux.HandleFunc("POST /kill/{flag}", kill(flags))
	server := httptest.NewServer(flaghttp.Middleware(flags, who)(testers.Middleware(mux)))
	defer server.Close()

	ask := func(query, token string) {
		request, err := http.NewRequest("GET", server.URL+"/?"+query, nil)
		must(err)
		request.Header.Set("Guidon-Overrides", token)
		answer, err := http.DefaultClient.Do(request)
		must(err)
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		fmt.Printf("%-40s %s\n", query, body)
	}
	everybody := func() {
		ask("user=anna&country=SE&plan=pro", "")
		ask("user=bert&country=DE", "")
		ask("user=carl", "")
		ask("user=dora&email=Dora@Example.COM", "")
	}
	me := flag.Change{Actor: "anna", Reason: "to show it"}
	fmt.Println("as the document has it")
	everybody()

	fmt.Println("\nfor an hour, a tester gets what nobody has yet")
	token, err := testers.Sign(map[string]string{"new-checkout": "on", "button": "green"}, time.Now().Add(time.Hour))
	must(err)
	ask("user=bert&country=DE", token)
	ask("user=bert&country=DE", token+"forged")

	must(flags.SetRamp("new-checkout", flag.Ramp{Share: 100 * flag.Percent}, me))
	everybody()

	answer, err := http.PostForm(server.URL+"/kill/new-checkout", url.Values{"actor": {"bert"}, "reason": {"carts are empty"}})
	must(err)
	answer.Body.Close()
	everybody()
	ask("user=bert&country=DE", token) // a kill wins

	carl := flag.For("carl")
	fmt.Printf("\n%v", flags.Explain("new-checkout", &carl))
	status, err := flags.Status("new-checkout")
	must(err)
	fmt.Printf("\nnew-checkout was decided %d times on, %d times off\n", status.Counts["on"], status.Counts["off"])
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
