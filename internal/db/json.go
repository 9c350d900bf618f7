package db

import (
	"bytes"
	"encoding/json"
)

// JSON writes v for a column that holds JSON: compact, with nothing escaped that
// need not be, so that what somebody else sent comes back as it was sent.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
