// Package web holds the front-end sources the program carries inside itself: style sheets, copy tables and templates.
// It knows nothing about them; internal/web reads them from here.
package web

import "embed"

// Files is the read-only tree of css/, locales/ and templates/.
//
//go:embed css locales templates
var Files embed.FS
