// Package download serves the files of documents at links that are signed and
// expire.
package download

import (
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"tradecredit/internal/db"
	"tradecredit/internal/document"
)

// Handler serves what is below document.LinkPrefix.
type Handler struct {
	DB        *db.DB
	Log       *slog.Logger
	Documents *document.Service
	Links     document.Links
}

// ServeHTTP implements http.Handler. A link that is wrong, that has expired or
// whose document is gone is the same to whoever follows it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Robots-Tag", "noindex")
	// If a browser should show a file all the same, then nothing in it may run.
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, `{"detail":"Method not allowed."}`)
		return
	}
	d, err := h.find(r)
	if errors.Is(err, db.ErrNoRows) {
		refuse(w, http.StatusNotFound, `{"detail":"Not found."}`)
		return
	}
	var content io.ReadCloser
	if err == nil {
		content, err = h.Documents.Open(r.Context(), d.File)
	}
	if err != nil {
		h.Log.Error("a document could not be served", "document", d.ID, "error", err)
		refuse(w, http.StatusInternalServerError, `{"error":"Server Error (500)"}`)
		return
	}
	defer content.Close()
	header.Set("Content-Type", d.File.ContentType)
	header.Set("Content-Length", strconv.FormatInt(d.File.Size, 10))
	header.Set("Content-Disposition", disposition(d.File.Name))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, content); err != nil && r.Context().Err() == nil {
		// The answer has begun; that it ends early is seen by its length.
		h.Log.Error("a document was served in part", "document", d.ID, "error", err)
	}
}

// find returns the document of a link, or db.ErrNoRows.
func (h *Handler) find(r *http.Request) (d document.Document, err error) {
	merchantID, documentID, ok := h.Links.Read(r.URL.Path)
	if !ok {
		return d, db.ErrNoRows
	}
	err = h.DB.Read(r.Context(), func(tx *db.Tx) error {
		d, err = document.Linked(r.Context(), tx, merchantID, documentID)
		return err
	})
	return d, err
}

func refuse(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody to tell.
	_, _ = io.WriteString(w, body)
}

// disposition lets a browser save a file under its name (RFC 6266). A name that
// is not ASCII is given twice: old clients read the plain one.
func disposition(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	out := mime.FormatMediaType("attachment", map[string]string{"filename": plain})
	if plain == name {
		return out
	}
	full := mime.FormatMediaType("attachment", map[string]string{"filename": name})
	encoded, ok := strings.CutPrefix(full, "attachment; filename*=")
	if !ok {
		return out
	}
	return out + "; filename*=" + encoded
}
