package document

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"tradecredit/internal/blob"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
)

// SweepKind is the kind of the job that deletes files which belong to nothing.
const SweepKind = "document_sweep"

// patience is how long a file may be on its way, until its document is written.
// After that it is swept up.
const patience = 24 * time.Hour

// MaxFile bounds a file, in bytes.
func (s *Service) MaxFile() int64 { return s.MaxSize }

// Keep stores a file while it arrives, under a new key. In u it says what the
// file is, or in its Problem why it is not accepted. An empty file is left to
// the form.
//
// The key is written down before the file is stored, so that whatever happens in
// between, the file is found again: by Create, by Drop, or by Sweep.
func (s *Service) Keep(ctx context.Context, u *form.Upload, content io.Reader) error {
	head, err := io.ReadAll(io.LimitReader(content, sniffed))
	if err != nil || len(head) == 0 {
		return err
	}
	u.Size = int64(len(head))
	kind, ok := contentType(head)
	if !ok {
		u.Problem = refusal(kind)
		return nil
	}
	secret := id.Secret(32)
	key := secret[:2] + "/" + secret[2:]
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		tx.Queue(insertUpload, key, db.Micros(s.clock.Now()))
		return nil
	})
	if err != nil {
		return err
	}
	u.Kept = File{Name: u.Filename, ContentType: kind, Key: key}
	r := &measured{from: io.MultiReader(bytes.NewReader(head), content), left: s.MaxSize, hash: sha256.New()}
	err = s.blobs.Put(ctx, key, r, blob.Unknown, kind)
	if errors.Is(err, errTooLarge) {
		u.Problem = fmt.Sprintf("The file is larger than %d bytes.", s.MaxSize)
		return nil
	}
	if err != nil {
		return err
	}
	u.Size, u.SHA256 = s.MaxSize-r.left, hex.EncodeToString(r.hash.Sum(nil))
	u.Kept = File{Name: u.Filename, ContentType: kind, Size: u.Size, SHA256: u.SHA256, Key: key}
	return nil
}

var errTooLarge = errors.New("document: the file is too large")

// measured passes on a file up to a number of bytes, and its digest.
type measured struct {
	from io.Reader
	left int64
	hash hash.Hash
}

// Read implements io.Reader.
func (m *measured) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return 0, errTooLarge
	}
	m.hash.Write(p[:n]) // a hash never fails
	return n, err
}

// Stored is the file behind an upload that Keep has taken.
func Stored(u *form.Upload) File {
	f, _ := u.Kept.(File)
	return f
}

// Refusal is why a file is not accepted.
type Refusal string

// The refusals.
const (
	RefusedEmpty Refusal = "empty"
	RefusedType  Refusal = "type"
	RefusedSize  Refusal = "size" // larger than it may be
)

// Refused says why Keep did not accept an upload; "" when it did.
func Refused(u *form.Upload) Refusal {
	switch {
	case u.Size == 0:
		return RefusedEmpty
	case u.Problem == "":
		return ""
	case Stored(u).Key == "":
		return RefusedType
	}
	return RefusedSize
}

// Drop deletes a file that Keep stored, unless a document has it: after a commit
// whose outcome is not known, that may be so. What cannot be deleted now is swept
// up later.
func (s *Service) Drop(ctx context.Context, u *form.Upload) {
	if f := Stored(u); f.Key != "" {
		_ = s.remove(ctx, f.Key) // Sweep tries again
	}
}

// remove deletes a file that belongs to nothing. From the moment that it is
// abandoned no document can take it any more.
func (s *Service) remove(ctx context.Context, key string) error {
	var waiting bool
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, abandonUpload, key)
		waiting = n == 1
		return err
	})
	if err != nil || !waiting {
		return err
	}
	if err := s.blobs.Delete(ctx, key); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		tx.Queue(forgetUpload, key)
		return nil
	})
}

// sweepBatch is how many files are deleted between two looks at the database.
const sweepBatch = 100

// sweeper is a store that has leftovers of its own.
type sweeper interface {
	Sweep(before time.Time) (int, error)
}

// Sweep deletes the files that have waited too long for a document, and returns
// how many there were.
func (s *Service) Sweep(ctx context.Context) (swept int, err error) {
	before := s.clock.Now().Add(-patience)
	if own, ok := s.blobs.(sweeper); ok {
		if swept, err = own.Sweep(before); err != nil {
			return swept, err
		}
	}
	for {
		var keys []string
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			keys, err = stale(ctx, tx, before, sweepBatch)
			return err
		})
		if err != nil || len(keys) == 0 {
			return swept, err
		}
		for _, key := range keys {
			if err := s.remove(ctx, key); err != nil {
				return swept, err
			}
			swept++
		}
	}
}

// EnqueueSweep lets a sweep begin after the commit of tx.
func EnqueueSweep(tx *db.Tx, now time.Time) {
	job.Enqueue(tx, job.Job{Kind: SweepKind, Payload: []byte("{}")}, now)
}

// maxSweeps is how often a sweep that fails is tried again before the next day's.
const maxSweeps = 5

// Register lets the queue sweep.
func (s *Service) Register(q *job.Queue) {
	q.HandleJob(SweepKind, func(ctx context.Context, j job.Job) job.Outcome {
		_, err := s.Sweep(ctx)
		switch {
		case err == nil:
			return job.Outcome{}
		case j.Attempt >= maxSweeps:
			return job.Outcome{Park: err.Error()}
		}
		return job.Outcome{RetryAt: s.clock.Now().Add(time.Minute << j.Attempt)}
	})
}

// Open reads a stored file. The caller closes it.
func (s *Service) Open(ctx context.Context, f File) (io.ReadCloser, error) {
	r, _, err := s.blobs.Get(ctx, f.Key)
	if err != nil {
		return nil, fmt.Errorf("document: the file %s: %w", f.Key, err)
	}
	return r, nil
}
