package fuzz

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// insides are words that no answer says unless the request said them first.
var insides = []string{
	"SQLSTATE", "sqlite", "pgconn.", "panic:", "goroutine ", "runtime error", "nil pointer", ".go:", "/internal/", "/go/pkg/", "/tmp/", "/home/",
	"no such table", "no such column", "syntax error at", "near \\\"", "constraint failed", "fts5:", "malformed MATCH", "duplicate key value",
	"invalid byte sequence", "sql: ", "json: ", "strconv.", "reflect.", "unexpected EOF", "invalid character '", "context canceled", "0xc000",
	"database is locked", "multipart: NextPart", "multipart: boundary", "multipart: message", "mime: ", "parsing time",
}

// fault says what is wrong with an answer, "" when nothing is.
func (e *explorer) fault(r Request, a response) string {
	if a.panicked != "" {
		return "the handler panicked: " + a.panicked
	}
	if a.status >= 500 {
		return fmt.Sprintf("status %d", a.status)
	}
	for _, word := range insides {
		if bytes.Contains(a.body, []byte(word)) && !r.says(word) {
			return fmt.Sprintf("the answer says %q", word)
		}
	}
	path := r.path()
	if !strings.HasPrefix(path, "/v1/") && (e.Document == nil || e.Document.find(path) == nil) {
		return "" // not the API's to answer
	}
	if a.header.Get("Request-Id") == "" {
		return "there is no Request-Id"
	}
	for status, name := range map[int]string{
		http.StatusUnauthorized: "WWW-Authenticate", http.StatusMethodNotAllowed: "Allow", http.StatusTooManyRequests: "Retry-After",
	} {
		if a.status == status && a.header.Get(name) == "" {
			return "there is no " + name
		}
	}
	if a.status >= 400 && len(a.body) > 0 {
		if err := errorForm(a.body); err != nil {
			return err.Error()
		}
	}
	if e.Document != nil {
		if err := e.Document.Check(r.Method, path, a.status, a.body); err != nil {
			return err.Error()
		}
	}
	return ""
}

// says tells whether a word stands anywhere in the request.
func (r Request) says(word string) bool {
	if strings.Contains(r.Target, word) || bytes.Contains(r.Body, []byte(word)) {
		return true
	}
	for _, values := range r.Header {
		for _, v := range values {
			if strings.Contains(v, word) {
				return true
			}
		}
	}
	return false
}

// errorForm demands one of the documented bodies of refusals: detail, error, or
// sentences by field.
func errorForm(body []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		return fmt.Errorf("a refusal is no JSON object: %w", err)
	}
	for _, name := range []string{"detail", "error"} {
		if text, ok := object[name]; ok && len(object) == 1 && isSentence(text) {
			return nil
		}
	}
	if len(object) == 0 {
		return fmt.Errorf("a refusal says nothing")
	}
	return byField(body, false)
}

var errForm = errors.New("a refusal is neither detail nor error nor sentences by field")

// byField demands sentences by field or by index, at any depth. For an item of a
// list there may be none, and a field of it may have one sentence that is in no
// list.
func byField(body []byte, item bool) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil || len(object) == 0 && !item {
		return errForm
	}
	for _, inner := range object {
		if item && isSentence(inner) || sentences(inner) == nil || byField(inner, false) == nil {
			continue
		}
		return errForm
	}
	return nil
}

// sentences demands a list of sentences, or of the errors of items.
func sentences(body []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) != nil || len(list) == 0 {
		return errForm
	}
	for _, inner := range list {
		if !isSentence(inner) && byField(inner, true) != nil && sentences(inner) != nil {
			return errForm
		}
	}
	return nil
}

func isSentence(body []byte) bool {
	var s string
	return json.Unmarshal(body, &s) == nil && s != ""
}
