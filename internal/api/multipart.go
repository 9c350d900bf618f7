package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
)

// Files keeps the files of multipart bodies while they arrive: before the
// transaction of the request, because it may take long, and without having them
// in memory.
type Files interface {
	// MaxFile bounds a file, in bytes.
	MaxFile() int64
	// Keep takes a file and fills in its Size, SHA256 and Kept, or says in its
	// Problem why it is not taken; it need not read a file to its end then.
	Keep(ctx context.Context, u *form.Upload, content io.Reader) error
	// Drop forgets a file whose request came to nothing. One that is in use all the
	// same stays.
	Drop(ctx context.Context, u *form.Upload)
}

// maxFields is how much larger than its largest file a multipart body may be.
const maxFields = 1 << 20

// clearing bounds how long files of a failed request are cleared away, even if
// who sent it has gone.
const clearing = 10 * time.Second

// receive does the work of a route that takes files. The files are there before
// the work begins; those that it does not use are dropped.
func (s *Server) receive(c *Call) (answer *Answer, err error) {
	if c.Route.Before != nil {
		if err := s.DB.Read(c, func(tx *db.Tx) error { return c.Route.Before(c, tx) }); err != nil {
			return nil, err
		}
	}
	used := false
	defer func() {
		for i, u := range c.uploads {
			if !used || !c.last(i) {
				c.drop(u.Upload)
			}
		}
	}()
	if err := c.readParts(); err != nil {
		return nil, err
	}
	answer, err = s.write(c)
	used = err == nil && !answer.Replayed
	return answer, err
}

// upload is a file with the name of its field.
type upload struct {
	field string
	*form.Upload
}

// last tells whether an upload is the last of its field, which is the one that
// counts.
func (c *Call) last(i int) bool {
	for _, later := range c.uploads[i+1:] {
		if later.field == c.uploads[i].field {
			return false
		}
	}
	return true
}

func (c *Call) drop(u *form.Upload) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context), clearing)
	defer cancel()
	c.Route.Files.Drop(ctx, u)
}

// readParts reads a multipart body. An empty one has no parts, whatever it says
// it is.
func (c *Call) readParts() error {
	limit := c.Route.Files.MaxFile() + maxFields
	source := &bodyReader{from: http.MaxBytesReader(nil, c.Request.Body, limit)}
	body := bufio.NewReader(source)
	parts := form.Parts{}
	if _, err := body.Peek(1); err != io.EOF {
		header := c.Request.Header.Get("Content-Type")
		kind, params, err := mime.ParseMediaType(header)
		if kind != "multipart/form-data" {
			return apierr.Detail(http.StatusUnsupportedMediaType, `Unsupported media type "`+header+`" in request.`)
		}
		if err != nil {
			params = nil
		}
		parts, err = form.ReadParts(body, params["boundary"], c.keep)
		if err := c.partsFault(err, source.err, limit); err != nil {
			return err
		}
	}
	mode := form.Full
	if c.Request.Method == http.MethodPatch {
		mode = form.Partial
	}
	files := map[string]*form.Upload{}
	for name, all := range parts.Files {
		files[name] = all[len(all)-1]
	}
	v := c.Route.Body.Multipart(parts.Text, files, mode)
	c.parsed = &v
	return nil
}

// keep hands on the files that the form asks for, and passes over others.
func (c *Call) keep(name string, u *form.Upload, content io.Reader) error {
	if !c.Route.Body.TakesFile(name) {
		return nil
	}
	c.uploads = append(c.uploads, upload{name, u})
	return c.Route.Files.Keep(c, u, content)
}

// partsFault is the answer for a body that could not be read to its end. One that
// is too long for the file in it is read on no further: the form says what is
// wrong with the file.
func (c *Call) partsFault(err, lost error, limit int64) error {
	var tooLarge *http.MaxBytesError
	var bad *form.ParseError
	switch {
	case err == nil:
		return nil
	case errors.As(lost, &tooLarge):
		for _, u := range c.uploads {
			if u.Problem != "" {
				return nil
			}
		}
		return apierr.Detail(http.StatusRequestEntityTooLarge, fmt.Sprintf("The request body is larger than %d bytes.", limit))
	case errors.As(err, &bad):
		return apierr.BadRequest(bad.Detail)
	case lost != nil:
		return apierr.BadRequest("The request body could not be read.")
	}
	return err
}

// bodyReader remembers why a body could not be read on.
type bodyReader struct {
	from io.Reader
	err  error
}

// Read implements io.Reader.
func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
