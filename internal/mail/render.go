package mail

import (
	"fmt"
	"html/template"
	"strings"
)

// Paragraph is a part of a mail: text, a link, or text followed by a link.
// LinkText is what stands for the link; empty, the address itself.
type Paragraph struct {
	Text     string
	LinkURL  string
	LinkText string
}

// Styles stand on the elements because many mail programs know no style sheets.
var layout = template.Must(template.New("mail").Parse(`<!doctype html>
<html>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7">
<div style="max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px;font:16px/1.5 sans-serif;color:#1d2430">
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{{.Subject}}</h1>
{{range .Paragraphs -}}
{{if .Text}}<p style="margin:0 0 16px;white-space:pre-line">{{.Text}}</p>
{{end -}}
{{if .LinkURL}}<p style="margin:0 0 16px"><a href="{{.LinkURL}}" style="color:#1a56db">{{if .LinkText}}{{.LinkText}}{{else}}{{.LinkURL}}{{end}}</a></p>
{{end -}}
{{end -}}
</div>
</body>
</html>
`))

// Render lays out the same content as plain text and as HTML. Whatever the
// paragraphs hold is escaped.
func Render(subject string, paragraphs []Paragraph) (text, html string) {
	var parts []string
	for _, p := range paragraphs {
		if p.Text != "" {
			parts = append(parts, p.Text)
		}
		switch {
		case p.LinkURL != "" && p.LinkText != "":
			parts = append(parts, p.LinkText+": "+p.LinkURL)
		case p.LinkURL != "":
			parts = append(parts, p.LinkURL)
		}
	}
	var b strings.Builder
	content := struct {
		Subject    string
		Paragraphs []Paragraph
	}{subject, paragraphs}
	if err := layout.Execute(&b, content); err != nil {
		panic(fmt.Sprintf("mail: the layout does not fit its content: %v", err))
	}
	return strings.Join(parts, "\n\n") + "\n", b.String()
}
