package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// object is a JSON object that is sent.
type object map[string]any

// call sends a request with the secret key, wants a status and reads the answer
// into out unless that is nil. headers are names and values in turn.
func (s *Shop) call(ctx context.Context, method, path string, body any, status int, out any, headers ...string) (http.Header, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, s.program.URL+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Token "+s.program.SecretKey)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != status {
		return nil, fmt.Errorf("%s %s answered %d, not %d: %s", method, path, answer.StatusCode, status, got)
	}
	if out == nil {
		return answer.Header, nil
	}
	if err := json.Unmarshal(got, out); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer.Header, nil
}

// same returns an error unless what was answered is what was expected.
func same[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %v, not %v", what, got, want)
	}
	return nil
}

// pounds writes minor units of pounds sterling.
func pounds(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	return fmt.Sprintf("%s£%d.%02d", sign, minor/100, minor%100)
}

// list joins words as a sentence does.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
