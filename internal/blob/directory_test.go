package blob

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newDirectory(t *testing.T) (*Directory, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "documents")
	d, err := NewDirectory(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, name
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	d, name := newDirectory(t)
	checkStore(t, d, false)
	if left, err := os.ReadDir(filepath.Join(name, incoming)); err != nil || len(left) > 0 {
		t.Errorf("unfinished files are left: %v, %v", left, err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may look into the directory: %v, %v", info.Mode(), err)
	}
}

func TestDirectoryLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	d, name := newDirectory(t)
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(name, "link")); err != nil {
		t.Fatal(err)
	}
	if r, _, err := d.Get(context.Background(), "link"); err == nil {
		r.Close()
		t.Error("a link led out of the directory")
	}
	if err := os.Mkdir(filepath.Join(name, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	gone(t, d, "folder")
}

func TestDirectoryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	d, _ := newDirectory(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := d.Put(ctx, "a/b", strings.NewReader("x"), 1, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	gone(t, d, "a/b")
}

func TestDirectorySweep(t *testing.T) {
	t.Parallel()
	d, name := newDirectory(t)
	if err := d.Put(context.Background(), "a/b", strings.NewReader("x"), 1, ""); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(name, incoming, "half")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	written := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(left, written, written); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before time.Time
		want   int
	}{{written, 0}, {written.Add(time.Second), 1}, {written.Add(time.Second), 0}} {
		if n, err := d.Sweep(c.before); n != c.want || err != nil {
			t.Errorf("before %s: %d swept, want %d (%v)", c.before, n, c.want, err)
		}
	}
	fetch(t, d, "a/b")
}
