package app

import (
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"tradecredit/internal/blob"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/document"
	"tradecredit/internal/web/download"
)

// DocumentConfig says where files are kept. What is zero has its default.
type DocumentConfig struct {
	// Dir is the directory of files; "" is "documents" in the data directory.
	Dir string
	// S3, when set, is where files are kept instead.
	S3 *blob.S3Config
	// MaxSize bounds a file, in bytes.
	MaxSize int64
	// LinkLife is how long a link to a file can be followed.
	LinkLife time.Duration
}

// The defaults of DocumentConfig.
const (
	DefaultMaxFile  int64 = 25 << 20
	DefaultLinkLife       = time.Hour
)

// blobs opens the store of files of the configuration.
func (c Config) blobs() (blob.Store, error) {
	if c.Documents.S3 != nil {
		return blob.NewS3(*c.Documents.S3)
	}
	dir := c.Documents.Dir
	if dir == "" {
		dir = filepath.Join(c.DataDir, "documents")
	}
	return blob.NewDirectory(dir)
}

// OpenDocuments returns the documents of a configuration, for commands that need
// nothing else of the program.
func OpenDocuments(c Config, d *db.DB, k clock.Clock) (*document.Service, error) {
	if c.Documents.MaxSize < 0 || c.Documents.LinkLife < 0 {
		return nil, fmt.Errorf("the size of files and the life of links are not below zero")
	}
	store, err := c.blobs()
	if err != nil {
		return nil, err
	}
	most := c.Documents.MaxSize
	if most == 0 {
		most = DefaultMaxFile
	}
	return document.New(d, k, store, most), nil
}

// keepDocuments adds the documents to the services.
func (a *App) keepDocuments(s *services) (err error) {
	if s.documents, err = OpenDocuments(a.config, a.DB, a.clock); err != nil {
		return err
	}
	life := a.config.Documents.LinkLife
	if life == 0 {
		life = DefaultLinkLife
	}
	s.bnpl.Documents = s.documents
	s.bnpl.DocumentLinks = document.Links{Key: s.links, Clock: a.clock, Life: life}
	return nil
}

// downloads serves the files behind links.
func (a *App) downloads(s *services) http.Handler {
	return &download.Handler{DB: a.DB, Log: a.log, Documents: s.documents, Links: s.bnpl.DocumentLinks}
}
