package flag_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// A flag is born with its end in sight. The declarations of a service:
var (
	OneClick = flag.Bool("basket-one-click", false, flag.Life{Owner: "team basket", Expires: flag.Date(2027, time.January, 31)})
	MaxItems = flag.Int("basket-max-items", 50, flag.Life{Owner: "team basket"})
)

// Its document, some weeks later:
const basket = `{"flags": {
  "basket-one-click": {"serve": "on"},
  "basket-gifts": {"ramp": {"percent": 5}}
}}`

// Review says which flags are litter, or will be. It is best asked daily, by a job of
// the service that sends the table to somebody.
func ExampleStore_Review() {
	flags := flag.New(flag.Bytes([]byte(basket)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	review := flags.Review(flag.ReviewOptions{AsOf: flag.Date(2027, time.February, 1)})
	fmt.Print(ofBasket(review))
	// Output:
	// FLAG              OWNER        FINDING         SINCE       DETAILS
	// basket-gifts      -            not declared    -
	// basket-max-items  team basket  not configured  -           declared as int64 at example_review_test.go:17
	// basket-one-click  team basket  expired         2027-01-31  declared at example_review_test.go:16
}

// What an earlier process found is handed over in JSON, so that a restart does not make
// everything look new.
func ExampleReviewOptions() {
	const file = "review.json" // kept somewhere that outlives the process
	var last flag.Review
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &last); err != nil {
			fmt.Println(err)
		}
	}
	flags := opened()
	review := flags.Review(flag.ReviewOptions{Last: last, Constant: 60 * 24 * time.Hour})
	fmt.Println(len(review.Flags) > 0)
	// and then json.Marshal(review) to the file
	// Output: true
}

// Declared lists what the packages of this process declare.
func ExampleDeclared() {
	for d := range flag.Declared() {
		if d.Owner == "team basket" {
			fmt.Println(d.Key, d.Type, d.Where, d.Expired(flag.Date(2027, time.February, 1)))
		}
	}
	// Output:
	// basket-max-items int64 example_review_test.go:17 false
	// basket-one-click bool example_review_test.go:16 true
}

func ExampleRef_Variants() {
	view := opened().View(flag.For("user-1"))
	for name, value := range CartLimit.Variants(view) {
		fmt.Println(name, value)
	}
	// Output:
	// large 100
	// small 20
}

// ofBasket leaves out the flags of other examples.
func ofBasket(r flag.Review) flag.Review {
	out := flag.Review{At: r.At}
	for _, f := range r.Flags {
		if strings.HasPrefix(f.Key, "basket-") {
			out.Flags = append(out.Flags, f)
		}
	}
	return out
}
