package pay

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestKit(t *testing.T) {
	t.Parallel()
	kit := Kit(newRenderer(t))
	ask := func(method, path, form string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		kit.ServeHTTP(w, r)
		return w
	}
	var names []string
	if err := json.NewDecoder(ask("GET", "/kit/", "").Body).Decode(&names); err != nil {
		t.Fatal(err)
	}
	if len(names) != len(Fixtures()) {
		t.Fatalf("%d names for %d fixtures", len(names), len(Fixtures()))
	}
	for _, name := range names {
		want := http.StatusOK
		if name == "unknown-link" {
			want = http.StatusNotFound
		}
		if w := ask("GET", "/kit/"+name, ""); w.Code != want {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
	if w := ask("GET", "/kit/nothing", ""); w.Code != http.StatusNotFound {
		t.Errorf("status %d for no fixture", w.Code)
	}
	plan := fixturePlans()[0].ID
	form := url.Values{"plan": {plan}, "payment_method-" + plan: {"invoice"}}
	if w := ask("POST", "/kit/offered", form.Encode()); !strings.Contains(w.Body.String(), `href="#terms"`) {
		t.Error("no word about the missing terms")
	}
	form.Set("terms", "yes")
	if w := ask("POST", "/kit/offered", form.Encode()); !strings.Contains(w.Body.String(), `data-state="accepted"`) {
		t.Error("a good form is not accepted")
	}
	if w := ask("POST", "/kit/offered", strings.Repeat("a", 100_000)); !strings.Contains(w.Body.String(), `data-state="failure"`) {
		t.Error("an endless form is not refused")
	}
}
