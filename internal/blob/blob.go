// Package blob keeps files outside of the database: in a directory, or in any
// store that speaks the S3 API.
//
// A blob is written once under a key of its own and never changed. Which blobs
// are in use the database knows; a store only keeps them.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// Info is what a store knows of a blob.
type Info struct {
	// Size is in bytes.
	Size int64
	// ContentType is "" where the store does not keep it.
	ContentType string
}

// ErrNotFound: there is no blob with this key.
var ErrNotFound = errors.New("blob: not found")

// Unknown is the size of what is still being received.
const Unknown int64 = -1

// Store keeps blobs.
type Store interface {
	// Put stores what r yields. size is its length in bytes, or Unknown. When it
	// returns an error nothing is stored under the key; the error of r is passed
	// on.
	Put(ctx context.Context, key string, r io.Reader, size int64, contentType string) error
	// Get opens a blob, or returns ErrNotFound. The caller closes it.
	Get(ctx context.Context, key string) (io.ReadCloser, Info, error)
	// Delete removes a blob. One that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// keys are segments of letters, digits, dashes and underscores: nothing that
// means something to a file system or in an address.
var keys = regexp.MustCompile(`^[0-9A-Za-z_-]{1,100}(/[0-9A-Za-z_-]{1,100}){0,5}$`)

func checkKey(key string) error {
	if !keys.MatchString(key) {
		return fmt.Errorf("blob: %q is no key", key)
	}
	return nil
}

// reader passes on what it reads and remembers why it ended, so that stores can
// tell the fault of their source from one of their own.
type reader struct {
	from io.Reader
	n    int64
	err  error
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.n += int64(n)
	if err != nil && err != io.EOF {
		r.err = err
		// Not err itself: some take an io.ErrUnexpectedEOF for the end of a part, and
		// would store what was cut off.
		return n, errSource
	}
	return n, err
}

var errSource = errors.New("blob: the source failed")

// fault is the error of a Put: that of the source where it has one.
func (r *reader) fault(err error, size int64) error {
	switch {
	case r.err != nil:
		return r.err
	case err != nil:
		return err
	case size != Unknown && r.n != size:
		return fmt.Errorf("blob: %d bytes were announced and %d came", size, r.n)
	}
	return nil
}
