package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"tradecredit/internal/id"
)

// Directory keeps each blob as a file below one directory. It does not keep
// content types.
type Directory struct {
	root *os.Root
}

// incoming is the folder of files that are still being written. A key cannot
// name it: keys have no dots.
const incoming = ".incoming"

// NewDirectory opens a directory and makes it when it is absent, for its owner
// alone.
func NewDirectory(name string) (*Directory, error) {
	if err := os.MkdirAll(filepath.Join(name, incoming), 0o700); err != nil {
		return nil, fmt.Errorf("the directory of blobs: %w", err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("the directory of blobs: %w", err)
	}
	return &Directory{root: root}, nil
}

// Put implements Store: the file appears under its name when all of it is on the
// disk, or not at all.
func (d *Directory) Put(ctx context.Context, key string, from io.Reader, size int64, _ string) (err error) {
	if err := checkKey(key); err != nil {
		return err
	}
	name := path.Join(incoming, id.Secret(22))
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// What is left is swept up later.
			_ = d.root.Remove(name)
		}
	}()
	r := &reader{from: &cancelled{ctx, from}}
	_, err = io.Copy(f, r)
	if err = r.fault(err, size); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	folder := path.Dir(key)
	if err = d.root.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err = d.root.Rename(name, key); err != nil {
		return err
	}
	return d.sync(folder)
}

// sync writes down the names in a folder and in those above it.
func (d *Directory) sync(folder string) error {
	for {
		f, err := d.root.Open(folder)
		if err != nil {
			return err
		}
		err = f.Sync()
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil || folder == "." {
			return err
		}
		folder = path.Dir(folder)
	}
}

// Get implements Store.
func (d *Directory) Get(_ context.Context, key string) (io.ReadCloser, Info, error) {
	if err := checkKey(key); err != nil {
		return nil, Info{}, err
	}
	f, err := d.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Info{}, ErrNotFound
	}
	if err != nil {
		return nil, Info{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotFound
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, Info{}, err
	}
	return f, Info{Size: info.Size()}, nil
}

// Delete implements Store.
func (d *Directory) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := d.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Sweep removes what writers that were killed have left, if it was last written
// to before a time. It returns how many files there were.
func (d *Directory) Sweep(before time.Time) (n int, err error) {
	left, err := fs.ReadDir(d.root.FS(), incoming)
	if err != nil {
		return 0, err
	}
	for _, entry := range left {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
			continue
		}
		if err == nil {
			err = d.root.Remove(path.Join(incoming, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return n, err
		}
		n++
	}
	return n, nil
}

// Close gives the directory back.
func (d *Directory) Close() error { return d.root.Close() }

// cancelled reads until its context ends.
type cancelled struct {
	ctx  context.Context
	from io.Reader
}

// Read implements io.Reader.
func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.from.Read(p)
}

// String names the directory, for messages.
func (d *Directory) String() string { return strings.TrimSuffix(d.root.Name(), "/") }
