package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// checkStore holds a store against what every store promises.
func checkStore(t *testing.T, s Store, keepsTypes bool) {
	t.Helper()
	ctx := context.Background()
	large := bytes.Repeat([]byte("0123456789abcdef"), 700_000) // more than two parts
	for _, c := range []struct {
		name, key string
		content   []byte
		size      int64
	}{
		{"known", "ab/known", []byte("an invoice"), 10},
		{"unknown", "ab/unknown", []byte("an invoice"), Unknown},
		{"large", "cd/large", large, Unknown},
		{"empty", "empty", nil, Unknown},
	} {
		if err := s.Put(ctx, c.key, iotest.OneByteReader(bytes.NewReader(nil)), Unknown, "x/y"); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := s.Put(ctx, c.key, bytes.NewReader(c.content), c.size, "application/pdf"); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, info := fetch(t, s, c.key)
		if !bytes.Equal(got, c.content) || info.Size != int64(len(c.content)) {
			t.Errorf("%s: %d bytes came back, of %d; the size is %d", c.name, len(got), len(c.content), info.Size)
		}
		if keepsTypes && info.ContentType != "application/pdf" {
			t.Errorf("%s: the type is %q", c.name, info.ContentType)
		}
		for range 2 {
			if err := s.Delete(ctx, c.key); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		gone(t, s, c.key)
	}
	checkFailures(t, s, large)
}

func checkFailures(t *testing.T, s Store, large []byte) {
	t.Helper()
	ctx := context.Background()
	broken := errors.New("the client is gone")
	for name, source := range map[string]io.Reader{
		"at once":   iotest.ErrReader(broken),
		"early":     io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)),
		"late":      io.MultiReader(bytes.NewReader(large), iotest.ErrReader(broken)),
		"truncated": io.MultiReader(bytes.NewReader(large), iotest.ErrReader(io.ErrUnexpectedEOF)),
	} {
		want := broken
		if name == "truncated" {
			want = io.ErrUnexpectedEOF
		}
		if err := s.Put(ctx, "ef/broken", source, Unknown, "x/y"); !errors.Is(err, want) {
			t.Errorf("%s: the error is %v", name, err)
		}
		gone(t, s, "ef/broken")
	}
	if err := s.Put(ctx, "ef/short", strings.NewReader("half"), 8, "x/y"); err == nil {
		t.Error("a blob that is too short was stored")
	}
	gone(t, s, "ef/short")
	for _, key := range []string{"", "/", "../a", "a/../b", "a//b", "/a", "a/", "a\\b", "a.b", ".incoming/x", "ü", "a\x00", strings.Repeat("a", 101)} {
		if s.Put(ctx, key, strings.NewReader("x"), 1, "") == nil {
			t.Errorf("%q was taken for a key", key)
		}
		if _, _, err := s.Get(ctx, key); err == nil {
			t.Errorf("%q was read", key)
		}
		if s.Delete(ctx, key) == nil {
			t.Errorf("%q was deleted", key)
		}
	}
}

func fetch(t *testing.T, s Store, key string) ([]byte, Info) {
	t.Helper()
	r, info, err := s.Get(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b, info
}

func gone(t *testing.T, s Store, key string) {
	t.Helper()
	if r, _, err := s.Get(context.Background(), key); !errors.Is(err, ErrNotFound) {
		t.Errorf("%s is there: %v", key, err)
		if err == nil {
			r.Close()
		}
	}
}
