package form

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"unicode"
)

// Parts are the parts of a multipart body, by their names.
type Parts struct {
	Text  map[string][]string
	Files map[string][]*Upload
}

// Keeper takes a file out of a multipart body while it arrives. It need not read
// all of it.
type Keeper func(name string, u *Upload, content io.Reader) error

// The bounds of a multipart body, files apart.
const (
	maxParts = 1000
	maxTexts = 1 << 20 // bytes of all texts together
)

// ReadParts reads a multipart body part by part and hands every file to keep, so
// that no file need be in memory. boundary is the parameter of the content type;
// "" is a missing one.
//
// As the recorded application does, it takes a body that ends without the last
// boundary, but not a file that ends without one: what was cut off is not kept.
// A body that cannot be read is a *ParseError; errors of body and of keep are
// returned as they are, with the parts that had been read.
func ReadParts(body io.Reader, boundary string, keep Keeper) (Parts, error) {
	p := Parts{Text: map[string][]string{}, Files: map[string][]*Upload{}}
	if boundary == "" {
		return p, multipartError("Invalid boundary in multipart: None")
	}
	if len(boundary) > 200 || strings.ContainsFunc(boundary, func(r rune) bool { return r < ' ' || r > '~' }) {
		return p, multipartError("Invalid boundary in multipart: " + strings.ToValidUTF8(boundary, "\ufffd"))
	}
	r := partsReader{source: &source{from: body}, keep: keep, parts: p}
	parts := multipart.NewReader(r.source, boundary)
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		switch {
		case r.source.err != nil:
			return p, r.source.err
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return p, nil
		case err != nil:
			return p, multipartError("The heading of a part could not be read.")
		case n == maxParts:
			return p, multipartError(fmt.Sprintf("There are more than %d parts.", maxParts))
		}
		if err := r.read(part); err != nil {
			return p, err
		}
	}
}

func multipartError(sentence string) *ParseError {
	return &ParseError{Detail: "Multipart form parse error - " + sentence}
}

// source remembers why a body could not be read on, to tell that from a body that
// is wrong.
type source struct {
	from io.Reader
	err  error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

type partsReader struct {
	source *source
	keep   Keeper
	parts  Parts
	texts  int64
}

// read takes one part. One without a name is nobody's.
func (r *partsReader) read(part *multipart.Part) error {
	kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name := params["name"]
	if err != nil || kind != "form-data" || name == "" {
		return nil
	}
	if params["filename"] != "" {
		return r.file(part, name, params["filename"])
	}
	content, err := io.ReadAll(io.LimitReader(part, maxTexts-r.texts+1))
	if r.texts += int64(len(content)); r.texts > maxTexts {
		return multipartError(fmt.Sprintf("The fields have more than %d bytes.", maxTexts))
	}
	if r.source.err != nil {
		return r.source.err
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return multipartError("A part could not be read.")
	}
	r.parts.Text[name] = append(r.parts.Text[name], string(content))
	return nil
}

func (r *partsReader) file(part *multipart.Part, name, filename string) error {
	u := &Upload{Filename: CleanFilename(filename), ContentType: part.Header.Get("Content-Type")}
	// It is listed even when keeping it fails, for whoever clears up.
	r.parts.Files[name] = append(r.parts.Files[name], u)
	err := r.keep(name, u, part)
	switch {
	case r.source.err != nil:
		return r.source.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return multipartError("A file ends before its boundary.")
	}
	return err
}

// CleanFilename is the name of a file without folders, and without characters
// that are not seen or that turn the direction of what is read.
func CleanFilename(name string) string {
	name = strings.ToValidUTF8(name, "\ufffd")
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != ' ' {
			return -1
		}
		return r
	}, name))
	if name == "." || name == ".." {
		return ""
	}
	return name
}
