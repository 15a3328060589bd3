package verify

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// mostCurl is how long a body may be to stand in a command line.
const mostCurl = 4 << 10

// curl is a command line that sends a test's request, without what is secret in it.
// Like the package, it uses no proxy, and takes a URL as it is.
func (r *runner) curl(t *test, spec *request, e *exchanged, d *differences) string {
	hide := d.hide
	words := []string{"curl -sSig --noproxy '*' --max-time " + strconv.FormatFloat(t.Timeout.Round(time.Millisecond).Seconds(), 'f', -1, 64)}
	refused := slices.ContainsFunc(d.list, func(m Mismatch) bool { return m.Kind == KindRedirect })
	if t.Redirects > 0 && !refused { // curl would follow to any host
		words = append(words, fmt.Sprintf("-L --max-redirs %d", t.Redirects))
	}
	if dots(spec.url.RequestURI()) {
		words = append(words, "--path-as-is")
	}
	switch {
	case t.Method == http.MethodHead:
		words = append(words, "--head")
	case t.Method != http.MethodGet || spec.body != "":
		words = append(words, "-X "+shellQuote(hide.scrub(t.Method)))
	}
	words = append(words, curlHeaders(spec, e.cookies, hide)...)
	before, after := "", ""
	switch body := hide.scrub(spec.body); {
	case body == "":
	case len(body) > mostCurl:
		words = append(words, "--data-binary @body")
		after = fmt.Sprintf(" # body: a file with the %d bytes of the test's", len(spec.body))
	case plain(body):
		words = append(words, "--data-raw "+shellQuote(body))
	default: // a pipe takes what no word can hold: line breaks at the end, and NUL
		before = "printf " + octal(body) + " | "
		words = append(words, "--data-binary @-")
	}
	where := shellQuote(hide.scrub(spec.url.String()))
	if r.inside {
		where = `"$URL"` + shellQuote(hide.scrub(spec.url.RequestURI()))
	}
	return before + strings.Join(append(words, where), " ") + after
}

// curlHeaders are those of the test, and the opposite of those that curl adds.
func curlHeaders(spec *request, cookies bool, hide *hider) []string {
	var words []string
	add := func(line string) { words = append(words, "-H "+shellQuote(line)) }
	for _, name := range sortedKeys(spec.header) {
		for _, v := range spec.header[name] {
			switch v = hide.scrub(v); {
			case isCredential(name):
				add(name + ": " + hidden)
			case v == "":
				add(hide.scrub(name) + ";")
			default:
				add(hide.scrub(name) + ": " + v)
			}
		}
	}
	if cookies && len(spec.header["Cookie"]) == 0 { // of the run's jar
		add("Cookie: " + hidden)
	}
	added := []string{"Accept"}
	if spec.body != "" {
		added = append(added, "Content-Type")
	}
	for _, name := range added {
		if len(spec.header[name]) == 0 {
			add(name + ":")
		}
	}
	return slices.Clip(words)
}

// plain says whether a text may stand on a line of a report as it is.
func plain(s string) bool {
	return strings.ToValidUTF8(s, "\x00") == s && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// shellQuote is a word that a POSIX shell reads as s, on one line and with nothing
// in it that a terminal would act on. There is no line break at the end of s.
func shellQuote(s string) string {
	if !plain(s) {
		return `"$(printf ` + octal(s) + `)"`
	}
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@,+=%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// octal is a quoted format of printf that prints s.
func octal(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i, c := range []byte(s) {
		switch {
		case c == '-' && i == 0: // which would begin an option
			b.WriteString(`\055`)
		case c == '%':
			b.WriteString("%%")
		case c == '\\', c == '\'', c < ' ', c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
