package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// secretPrefix marks a signing secret, as the Standard Webhooks specification
// has it.
const secretPrefix = "whsec_"

// rotationOverlap is for how long the secret before a rotation signs as well.
const rotationOverlap = 24 * time.Hour

// newSecret makes a signing secret of 32 random bytes.
func newSecret() string {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(fmt.Sprintf("webhook: the machine has no random numbers: %v", err))
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(b[:])
}

// keys are a signing secret and, for a while after a rotation, the one before.
type keys struct {
	secret   string
	previous string
	// until is the real time at which the previous secret ends.
	until time.Time
}

// rotate puts a new secret in the place of the present one.
func (k keys) rotate(now time.Time) keys {
	return keys{secret: newSecret(), previous: k.secret, until: now.Add(rotationOverlap)}
}

// header is the webhook-signature of a body at a time: one signature for every
// secret that is valid, separated by spaces.
func (k keys) header(messageID string, at time.Time, body []byte) (string, error) {
	secrets := []string{k.secret}
	if k.previous != "" && at.Before(k.until) {
		secrets = append(secrets, k.previous)
	}
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		signature, err := Sign(s, messageID, at, body)
		if err != nil {
			return "", err
		}
		signatures[i] = signature
	}
	return strings.Join(signatures, " "), nil
}

// Sign makes the Standard Webhooks signature of a message: "v1," and the base64
// of the HMAC-SHA256 over its id, the time in seconds since 1970, and the body,
// joined by full stops.
func Sign(secret, messageID string, at time.Time, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil {
		return "", fmt.Errorf("webhook: a signing secret is not base64: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(messageID + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}
