package form

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The rules of mail addresses and URLs are those of Django's validators, which
// use regular expressions Go cannot run; they are written out here.

// validEmail reports whether s is local@domain.
func validEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || utf8.RuneCountInString(s) > 320 || !validLocalPart(s[:at]) {
		return false
	}
	domain := s[at+1:]
	if domain == "localhost" || validMailDomain(domain) {
		return true
	}
	ascii, ok := punycode(domain)
	return ok && validMailDomain(ascii)
}

func validLocalPart(s string) bool {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return validQuoted(s[1 : len(s)-1])
	}
	for s != "" {
		atom, rest, dot := strings.Cut(s, ".")
		if atom == "" {
			return false
		}
		for i := 0; i < len(atom); i++ {
			if !alphanumeric(atom[i]) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", atom[i]) < 0 {
				return false
			}
		}
		if !dot {
			return true
		}
		s = rest
	}
	return false
}

// validQuoted checks the inside of a quoted local part.
func validQuoted(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			i++
			if i == len(s) || s[i] == 0 || s[i] == '\n' || s[i] == '\r' || s[i] > 0x7F {
				return false
			}
			continue
		}
		if c == 0 || c == '\t' || c == '\n' || c == '\r' || c == ' ' || c == '"' || c > 0x7F {
			return false
		}
	}
	return true
}

func validMailDomain(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		address, err := netip.ParseAddr(s[1 : len(s)-1])
		return err == nil && address.Zone() == ""
	}
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 {
		return false
	}
	for _, label := range strings.Split(s[:dot], ".") {
		if !validLabel(label, false) {
			return false
		}
	}
	last := s[dot+1:]
	return 2 <= len(last) && len(last) <= 63 && last[len(last)-1] != '-' && asciiLabel(last)
}

func asciiLabel(s string) bool {
	for i := 0; i < len(s); i++ {
		if !alphanumeric(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}

// validLabel checks one part of a domain name: 1 to 63 letters, digits and
// hyphens, no hyphen at either end; with wide also characters from U+00A1 to
// U+FFFF.
func validLabel(s string, wide bool) bool {
	n := utf8.RuneCountInString(s)
	if n < 1 || n > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, r := range s {
		if r < utf8.RuneSelf && (alphanumeric(byte(r)) || r == '-') {
			continue
		}
		if !wide || !wideLetter(r) {
			return false
		}
	}
	return true
}

func wideLetter(r rune) bool { return 0xA1 <= r && r <= 0xFFFF && r != utf8.RuneError }

// names turns international domain names into ASCII.
var names = idna.New(idna.MapForLookup(), idna.Transitional(true), idna.StrictDomainName(false))

// punycode returns the ASCII form of an international domain name.
func punycode(domain string) (string, bool) {
	if !utf8.ValidString(domain) {
		return "", false
	}
	ascii, err := names.ToASCII(domain)
	return ascii, err == nil
}

// validURL reports whether s is scheme://[user[:password]@]host[:port][rest].
func validURL(s string) bool {
	if utf8.RuneCountInString(s) > 2048 || strings.IndexFunc(s, isSpace) >= 0 {
		return false
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return false
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "ftps":
	default:
		return false
	}
	if validAuthority(rest) {
		return true
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		slash = len(rest)
	}
	credentials, after, ok := strings.Cut(rest[:slash], "@")
	if !ok {
		return false
	}
	user, password, _ := strings.Cut(credentials, ":")
	return user != "" && !strings.Contains(password, ":") && validAuthority(after+rest[slash:])
}

// validAuthority checks host[:port] up to the path, query or fragment.
func validAuthority(s string) bool {
	if end := strings.IndexAny(s, "/?#"); end >= 0 {
		s = s[:end]
	}
	if s == "" {
		return false
	}
	host, port := s, ""
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, ']') {
		host, port = s[:colon], s[colon+1:]
		if len(port) < 2 || len(port) > 5 || digits(port, 0) != len(port) {
			return false
		}
	}
	if validHost(host) {
		return true
	}
	ascii, ok := punycode(host)
	return ok && ascii != host && validHost(ascii)
}

func validHost(s string) bool {
	if strings.HasPrefix(s, "[") {
		address, err := netip.ParseAddr(strings.TrimSuffix(s[1:], "]"))
		return strings.HasSuffix(s, "]") && err == nil && address.Is6() && address.Zone() == ""
	}
	if strings.EqualFold(s, "localhost") {
		return true
	}
	if address, err := netip.ParseAddr(s); err == nil {
		return address.Is4()
	}
	if utf8.RuneCountInString(s) > 253 {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(s, "."), ".")
	for _, label := range labels {
		if !validLabel(label, true) {
			return false
		}
	}
	return len(labels) > 1 && validTopLevel(labels[len(labels)-1])
}

// validTopLevel checks the last label of a host, known to be a label: letters
// and hyphens, at least two, or punycode.
func validTopLevel(s string) bool {
	if len(s) > 4 && strings.EqualFold(s[:4], "xn--") && asciiLabel(s[4:]) && !strings.Contains(s[4:], "-") {
		return true
	}
	return strings.IndexFunc(s, func(r rune) bool { return '0' <= r && r <= '9' }) < 0 &&
		utf8.RuneCountInString(s) >= 2
}

type ipKind struct{ common }

func (ipKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	const broken = "Enter a valid IPv4 or IPv6 address."
	text, done, wrong := f.text(in, broken)
	if done || wrong != nil {
		return result{value: text}, wrong
	}
	address, err := netip.ParseAddr(text.text)
	valid := err == nil && address.Zone() == ""
	switch {
	case valid:
		text.text = address.Unmap().String()
		return f.finish(d, text, "")
	case in.kind != KindString || strings.IndexByte(text.text, ':') >= 0:
		return result{}, messages(broken)
	}
	return f.finish(d, text, broken)
}
