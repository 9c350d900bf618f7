package app

import "net/http"

// legalPath is where the sandbox shows its example terms. In production the
// operator's own are linked.
const legalPath = "/legal/terms"

const sandboxTerms = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Example terms</title><meta name="viewport" content="width=device-width"></head>
<body><main><h1>Example terms</h1>
<p>This is a sandbox. Nothing is bought, nothing is owed, and no money moves.</p>
<p>An operator links the terms of the lender here with the setting --terms-url.</p>
</main></body></html>
`

func serveSandboxTerms(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(sandboxTerms))
}
