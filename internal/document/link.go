package document

import (
	"strconv"
	"strings"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/secret"
)

// LinkPrefix is the path below which files are downloaded.
const LinkPrefix = "/documents/"

// Links are addresses at which anybody may download a file for a while. They are
// signed and not stored.
type Links struct {
	Key   secret.Key
	Clock clock.Clock
	// Life is how long a link leads to its file.
	Life time.Duration
}

// Path is a new link to an order document.
func (l Links) Path(d Document) string {
	token := d.MerchantID + "." + d.ID + "." + strconv.FormatInt(l.Clock.Now().Add(l.Life).Unix(), 10)
	return LinkPrefix + token + "." + l.sign(token)
}

// Read returns whose document a link leads to, or false when it was not made here
// or has expired.
func (l Links) Read(path string) (merchantID, documentID string, ok bool) {
	whole, found := strings.CutPrefix(path, LinkPrefix)
	at := strings.LastIndexByte(whole, '.')
	if !found || at < 0 || !l.check(whole[:at], whole[at+1:]) {
		return "", "", false
	}
	parts := strings.Split(whole[:at], ".")
	if len(parts) != 3 {
		return "", "", false
	}
	expires, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || !l.Clock.Now().Before(time.Unix(expires, 0)) {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// The secret signs other links too: the name tells them apart.
func (l Links) sign(token string) string { return l.Key.Sign("document:" + token) }

func (l Links) check(token, signature string) bool { return l.Key.Check("document:"+token, signature) }
