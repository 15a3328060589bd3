package verify_test

import (
	"fmt"
	"testing"

	"github.com/guidon-go/guidon/verify"
)

// written is a report in all its forms.
func written(t testing.TB, err *verify.Error, told string) map[string]string {
	t.Helper()
	return map[string]string{
		"error": err.Error(), "text": err.Report.String(), "told": told, "value": fmt.Sprintf("%+v", err.Report),
	}
}
