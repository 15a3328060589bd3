package rollout_test

import (
	"fmt"
	"time"

	"github.com/guidon-go/guidon/rollout"
)

// Freezes read as people say them. One that comes once, every week, or every day.
func ExampleFreeze() {
	freezes := []rollout.Freeze{
		{Name: "Christmas", Zone: "Europe/Stockholm", From: "2026-12-20 00:00", To: "2027-01-04 08:00"},
		{Name: "weekend", Zone: "Europe/Stockholm", From: "Fri 16:00", To: "Mon 08:00"},
		{Name: "nights", Zone: "Europe/Stockholm", From: "18:00", To: "08:00"},
	}
	friday := time.Date(2026, 11, 27, 20, 0, 0, 0, time.UTC)
	for _, freeze := range freezes {
		if until, yes := freeze.Until(friday); yes {
			fmt.Println(freeze, "until", until.Format("Mon 2 Jan 15:04 MST"))
		} else {
			fmt.Println(freeze, "is not in force")
		}
	}
	// Output:
	// Christmas (2026-12-20 00:00 to 2027-01-04 08:00 Europe/Stockholm) is not in force
	// weekend (Fri 16:00 to Mon 08:00 Europe/Stockholm) until Mon 30 Nov 08:00 CET
	// nights (18:00 to 08:00 Europe/Stockholm) until Sat 28 Nov 08:00 CET
}

// What is wrong is said all at once.
func ExampleFreeze_Validate() {
	fmt.Println(rollout.Freeze{Name: "nights", Zone: "Europe/Stokholm", From: "18:00", To: "8 am"}.Validate())
	// Output:
	// rollout: freeze nights: invalid request: zone: found "Europe/Stokholm", want an IANA name such as "Europe/Stockholm", or none for UTC; without a time zone database, import time/tzdata: unknown time zone Europe/Stokholm
	// to: found "8 am", want "08:00", "Fri 08:00" or "2026-12-20 08:00"
}
