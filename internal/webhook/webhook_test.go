package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/merchant"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filters   string
		eventType string
		want      bool
	}{
		{"", "order.created", true},
		{"*", "order.created", true},
		{"order.created", "order.created", true},
		{"order.created", "order.changed", false},
		{"order.*", "order.created", true},
		{"order.*", "order_document.created", false},
		{"order.*", "order", false},
		{"deferred_payment.*", "deferred_payment.event.captured", true},
		{"deferred_payment.event.*", "deferred_payment.created", false},
		{"offer.created deferred_payment.*", "deferred_payment.created", true},
		{"offer.created deferred_payment.*", "offer.expired", false},
	} {
		if got := Matches(strings.Fields(c.filters), c.eventType); got != c.want {
			t.Errorf("Matches(%q, %q) = %v", c.filters, c.eventType, got)
		}
	}
}

func TestCheckEvents(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"*", "order.*", "order.created", "deferred_payment.event.*", "a1"} {
		if err := CheckEvents([]string{ok}); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{"", " ", "order.", ".order", "order*", "*.order", "Order.created", "a b", "a..b", "order.*.x", strings.Repeat("a", 101)} {
		if CheckEvents([]string{"order.*", bad}) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if CheckEvents(make([]string, 101)) == nil {
		t.Error("too many filters are taken")
	}
}

func TestURLProblem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url                 string
		sandbox, production bool
	}{
		{"https://shop.example/hook?a=%2F&b=c+d&&e", true, true},
		{"http://127.0.0.1:8080/hook", true, false},
		{"https://[2001:db8::1]:8443/", true, true},
		{"", false, false},
		{"shop.example/hook", false, false},
		{"https:shop.example", false, false},
		{"https:///hook", false, false},
		{"https://:443/hook", false, false},
		{"ftp://shop.example/", false, false},
		{"file:///etc/passwd", false, false},
		{"https://shop.example/a b", false, false},
		{"https://shop.example/?a=b\r\nX-Evil: 1", false, false},
		{"https://shop.example/?a=b c", false, false},
		{"https://shop.example/%zz", false, false},
		{"https://shop.example/" + strings.Repeat("a", 2000), false, false},
	} {
		if got := URLProblem(c.url, merchant.Sandbox) == ""; got != c.sandbox {
			t.Errorf("sandbox, %q: %v", c.url, got)
		}
		if got := URLProblem(c.url, merchant.Production) == ""; got != c.production {
			t.Errorf("production, %q: %v", c.url, got)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	all := Endpoint{ID: "whe-1", URL: "https://a.example", Active: true}
	orders := Endpoint{ID: "whe-2", URL: "https://b.example", Active: true, Events: []string{"order.*"}}
	off := Endpoint{ID: "whe-3", URL: "https://c.example"}
	twin := Endpoint{ID: "whe-4", URL: "https://a.example", Active: true}
	endpoints := []Endpoint{all, orders, off, twin}
	for _, c := range []struct {
		eventType, own string
		want           []target
	}{
		{"order.created", "", []target{{"whe-1", "https://a.example"}, {"whe-2", "https://b.example"}}},
		{"offer.created", "", []target{{"whe-1", "https://a.example"}}},
		{"offer.created", "https://a.example", []target{{"whe-1", "https://a.example"}}},
		{"offer.created", "https://b.example", []target{{"whe-1", "https://a.example"}, {"", "https://b.example"}}},
		{"offer.created", "https://c.example", []target{{"whe-1", "https://a.example"}, {"", "https://c.example"}}},
	} {
		if d := cmp.Diff(c.want, targets(endpoints, c.eventType, c.own), cmp.AllowUnexported(target{})); d != "" {
			t.Errorf("%s, %q:\n%s", c.eventType, c.own, d)
		}
	}
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	for i, want := range []time.Duration{0, 2 * time.Second, 4 * time.Second} {
		if got, more := shortRetries.Pause(i + 1); got != want || !more {
			t.Errorf("after %d attempts: %v, %v", i+1, got, more)
		}
	}
	if _, more := shortRetries.Pause(4); more {
		t.Error("the short schedule has a fifth attempt")
	}
	var total, last time.Duration
	for i := 1; ; i++ {
		pause, more := longRetries.Pause(i)
		if !more {
			break
		}
		if pause < last {
			t.Errorf("pause %d is %v, after %v", i, pause, last)
		}
		total, last = total+pause, pause
	}
	if total < 70*time.Hour || total > 72*time.Hour {
		t.Errorf("the long schedule takes %v", total)
	}
}

// TestSignKnownAnswer checks the example of the Standard Webhooks libraries.
func TestSignKnownAnswer(t *testing.T) {
	t.Parallel()
	got, err := Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
		time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Sign("whsec_?", "m", time.Unix(0, 0), nil); err == nil {
		t.Error("a broken secret signs")
	}
}

func TestRotationOverlap(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	first := keys{secret: newSecret()}
	second := first.rotate(now)
	count := func(k keys, at time.Time) int {
		h, err := k.header("evt-1", at, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		return len(strings.Fields(h))
	}
	if n := count(first, now); n != 1 {
		t.Errorf("%d signatures before a rotation", n)
	}
	if n := count(second, now.Add(24*time.Hour-time.Second)); n != 2 {
		t.Errorf("%d signatures within a day of a rotation", n)
	}
	if n := count(second, now.Add(24*time.Hour)); n != 1 {
		t.Errorf("%d signatures a day after a rotation", n)
	}
	if third := second.rotate(now); third.previous != second.secret || third.secret == second.secret {
		t.Error("a second rotation does not follow the first")
	}
}

func TestOrderedJobIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, 1<<47).Draw(t, "a")
		b := rapid.Int64Range(a+1, 1<<48-1).Draw(t, "b")
		if x, y := orderedJobID(a), orderedJobID(b); x >= y {
			t.Fatalf("%d: %s, %d: %s", a, x, b, y)
		}
		if first, second := orderedJobID(a), orderedJobID(a); first == second {
			t.Fatal("two jobs share an ID")
		}
	})
}
