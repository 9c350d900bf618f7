package fuzz

import "strings"

// literals are JSON values, and a few things that are none, of every type and at
// every edge.
var literals = []string{
	"null", "true", "false", "[]", "{}", "[null]", "[[]]", "[{}]", `{"":null}`, `{"a":{"b":[1]}}`, `[1,"a",null,{}]`,
	"0", "-0", "1", "-1", "2", "1.0", "-1.5", "0.1", "1e2", "1E+2", "1e-7", "0.30000000000000004",
	"9007199254740991", "9007199254740993", "2147483647", "2147483648", "-2147483649",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
	"99999999999999999999999999999999999999", "1e18", "1e19", "1e308", "1e400", "-1e400", "1e-400", "1e999999999",
	"NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x1f", "undefined", "None", "'a'", "nul", "",
}

// texts are strings as JSON writes them, with their quotes left off.
var texts = []string{
	"", " ", "\\t\\n", "a", "0", "1", "-1", "1.5", "1e5", "1e999999999", "NaN", "Infinity", "true", "null", "None", "[]", "{}",
	"12345678901234567890", "1_000", "٣", "１２", "+5", "007", "1.", "-0.00",
	"\\u0000", "a\\u0000b", "\\ud800", "a\\udfff", "\\ud83d\\ude00", "\\ude00\\ud83d", "\\u202e\\u2066", "\\ufeff", "\\uffff",
	"\\u001f", "\xff", "\xc3\x28", "\xed\xa0\x80", "e\\u0301", "ﷺﷺﷺ", "İıſK", "\\u0085", "\\u2028", "\U0010ffff",
	"'", "''", "\\\"", "\\\\", "\\\\'", "%", "_", "%s%n%d", "${7*7}", "{{7*7}}", "<script>alert(1)</script>", "&amp;", "--", ";", "/*",
	"'; drop table orders; --", "' or '1'='1", "1) or (1=1", "$1", "$$", "?", ":name", "@x", "E'\\\\x00'", "\\\\x41",
	"*", "a*", "NEAR(", "a AND", "OR", "NOT", "(", ")", "^a", "name:x", "{a b}:c", "a <-> b", "!", "&", "|", "!!a", "a:*", "\\\"a", "-a", "+a",
	"2026-02-30", "2026-13-01", "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "2026-3-2", "20260302", "2026-W10-1",
	"2026-03-02T25:00:00Z", "2026-03-02T09:30:60Z", "9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00",
	"2026-03-02T09:30", "2026-03-02 09:30:00.1234567890123Z", "2026-03-02T09:30:00+99:99", "1969-12-31T23:59:59Z",
	"a@b", "a@b.c", "\\\"a b\\\"@example.com", "a@[127.0.0.1]", "a@xn--bcher-kva.example", "@", "a@@b.example", "ä@example.com", "a@-b.com",
	"http://", "http://[::1", "https://x:99999/", "https://user:pw@host/", "javascript:alert(1)", "file:///dev/null", "//host", "https://exa mple",
	"http://127.0.0.1:1/", "http://[::1]/", "https://0x7f000001/", "https://example.com/?a=b&c=%zz#d", "HTTPS://EXAMPLE.COM", "https://☃.example/",
	"GB", "gb", "GBR", "826", "United Kingdom", "XX", "ZZ", "GBP", "gbp", "EUR", "XXX", "en-gb", "en_GB", "xx-XX-xx", "draft", "paid", "card",
	"user-", "user-1", "org-", "order-*", "offer-", "co-%", "-", "user-\\u0000", "org-é", "order--", "../order-1", "order-1/..",
	"pending_payment+fraud@example.com", "declined@example.com",
}

// targets are segments of paths and values of queries, encoded.
var targets = []string{
	"", ".", "..", "%2e%2e", "%2F", "%5C", "%00", "a%00b", "%FF", "%C3%28", "%ED%A0%80", "%0A", "%0d%0a", "%20", "+", "%2B1", "%25", "%2500", "%C2%A0",
	"null", "undefined", "NaN", "true", "0", "-1", "1", "25", "100", "101", "1e3", "1.5", "0x10", "9223372036854775807", "9223372036854775808",
	"-9223372036854775809", "99999999999999999999999999", "%D9%A3", "1_0", "007",
	"%27", "%27%27", "%22", "%27%3B%20drop%20table%20orders%3B%20--", "%25%25", "_", "*", "a*", "NEAR(", "%5Ea", "(", ")", "-a", "a%3A*", "%7B%7D", "%5B%5D",
	"created", "-created", "id", "-id", "created,-created", "created;id", "password", "merchant_id", "2026-02-30", "2026-03-02", "2026-03-02T00:00:00Z",
	"customer", "customer.organisation", "customer.organisation.company", "customer.user", "payment_offer", "deferred_payment",
	"deferred_payment.payment_plan", "order", "company", ".", "..customer", "customer.", "customer..user", "*", "__all__", "~all",
	"order.payment_offer.order.payment_offer.order.payment_offer", "user-1", "org-1", "xml", "json", "csv", "%F0%9F%98%80", "%E2%80%AE",
}

// queries are names of parameters beside those that the document knows.
var queries = []string{
	"limit", "offset", "ordering", "expand", "format", "unique_id", "created__gte", "page", "search", "fields", "q", "id", "token", "",
	"limit[]", "limit%00", "%FF", "a.b", "_method",
}

// headers are the headers that a server reads, with values that it may not expect.
var headers = map[string][]string{
	"Authorization": {
		"", "Token", "Token ", "Token  ", "Token nope", "Token a b", "token nope", "Bearer nope", "Basic", "Basic !!!", "Basic bm9wZQ==",
		"Basic bm9wZTo=", "Basic bm9wZTpub3Bl extra", "Basic /w==", "Digest username=\"a\"", "nope", "Token \xff\xfe", "Token '; --", "Basic OjA=",
		"Token\tnope", ",", "Token " + strings.Repeat("a", 5000),
	},
	"Content-Type": {
		"", "application/json", "application/json; charset=latin-1", "application/json; charset=utf-16", "application/json;;;", "APPLICATION/JSON",
		"application/*", "*/*", "text/plain", "text/html", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data",
		"multipart/form-data; boundary=", "multipart/form-data; boundary=x", "multipart/form-data; boundary=\"\xff\"", "application/vnd.api+json",
		"garbage", "/", ";", "application/json, text/plain", "\"", "a/b; c=\"d",
	},
	"Accept": {
		"", "*/*", "application/json", "application/*", "text/html", "text/*", "*", "application/json;q=0", "application/json; indent=2", ",", ";", "/",
		"application/xml", "\xff", "application/json; indent=99999999", strings.Repeat("a/b,", 2000),
	},
	"Idempotency-Key": {
		"", " ", "a", "b", "a", "b", "c", "k e y", "\xff", "é", "'", "%", strings.Repeat("k", 255), strings.Repeat("k", 256), strings.Repeat("k", 9000),
		"33871f6b-ff2f-4de3-9e10-ff42ef7af553",
	},
	"Itempotency-Key":               {"a", "\xff", strings.Repeat("k", 256)},
	"Accept-Language":               {"", "en", "de-DE,de;q=0.9", "xx", "*", "\xff", strings.Repeat("en,", 3000), "en-;q=x", "../../x"},
	"Origin":                        {"", "null", "https://evil.example", "https://merchant.example", "\xff"},
	"Access-Control-Request-Method": {"GET", "POST", "get", "", "NOPE"},
	"Content-Encoding":              {"gzip", "br", "nope"},
	"X-Forwarded-For":               {"127.0.0.1", "::1", "'"},
	"X-HTTP-Method-Override":        {"DELETE"},
	"If-None-Match":                 {"*", "\"a\"", "W/\"a\""},
	"Range":                         {"bytes=0-0", "bytes=-1", "lines=1-2"},
	"Cookie":                        {"session=1", "=;=", "a=\"b"},
}

// headerNames are the names of headers, in an order that does not change.
var headerNames = []string{
	"Authorization", "Content-Type", "Accept", "Idempotency-Key", "Itempotency-Key", "Accept-Language", "Origin",
	"Access-Control-Request-Method", "Content-Encoding", "X-Forwarded-For", "X-HTTP-Method-Override", "If-None-Match", "Range", "Cookie",
}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "NOPE", "PROPFIND", "_"}
