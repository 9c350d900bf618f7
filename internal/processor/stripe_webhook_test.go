package processor

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stripe/stripe-go/v85"
)

const hookSecret = "whsec_test"

var signedAt = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func sign(payload, secret string, at time.Time) string {
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(stripe.ComputeSignature(at, []byte(payload), secret)))
}

func hook(kind, object string) string {
	return fmt.Sprintf(`{"id":"evt_1","object":"event","api_version":"2019-01-01","type":%q,"created":1795168800,"livemode":true,
		"data":{"object":%s}}`, kind, object)
}

func TestParseWebhook(t *testing.T) {
	t.Parallel()
	intent := func(status, more string) string {
		return `{"id":"pi_1","object":"payment_intent","amount":1250,"currency":"eur","status":"` + status + `",
			"metadata":{"tradecredit_charge":"c-1"}` + more + `}`
	}
	refund := func(status string) string {
		return `{"id":"re_1","object":"refund","amount":500,"currency":"isk","status":"` + status + `","payment_intent":"pi_1",
			"metadata":{"tradecredit_refund":"r-1"},"failure_reason":"lost_or_stolen_card"}`
	}
	dispute := func(status string) string {
		return `{"id":"dp_1","object":"dispute","amount":1250,"currency":"eur","status":"` + status + `","payment_intent":"pi_1","reason":"fraudulent"}`
	}
	declined := `,"last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"No."}`
	secure := `,"last_payment_error":{"type":"card_error","code":"authentication_required","message":"No."}`
	charge := Event{ChargeID: "c-1", ChargeReference: "pi_1", Amount: 1250, Currency: "EUR"}
	refunded := Event{RefundID: "r-1", RefundReference: "re_1", ChargeReference: "pi_1", Amount: 5, Currency: "ISK"}
	disputed := Event{
		DisputeReference: "dp_1", ChargeReference: "pi_1", Amount: 1250, Currency: "EUR",
		Result: Result{Reference: "dp_1", Code: "fraudulent"},
	}
	with := func(e Event, kind EventKind, r Result) Event {
		e.Kind = kind
		if r != (Result{}) {
			e.Result = r
		}
		return e
	}
	for _, c := range []struct {
		kind, object string
		want         Event
	}{
		{"payment_intent.succeeded", intent("succeeded", ""), with(charge, ChargeSucceeded, Result{Outcome: Succeeded, Reference: "pi_1"})},
		{"payment_intent.processing", intent("processing", ""), with(charge, ChargePending, Result{Outcome: Pending, Reference: "pi_1"})},
		{"payment_intent.payment_failed", intent("requires_payment_method", declined), with(charge, ChargeFailed,
			Result{Outcome: Declined, Reference: "pi_1", Code: "insufficient_funds", Message: "No."})},
		{"payment_intent.payment_failed", intent("requires_payment_method", secure), with(charge, ChargeActionRequired,
			Result{Outcome: ActionRequired, Reference: "pi_1", Code: "authentication_required", Message: "No."})},
		{"payment_intent.requires_action", intent("requires_action", ""), with(charge, ChargeActionRequired, Result{Outcome: ActionRequired, Reference: "pi_1",
			Code: "authentication_required", Message: "The bank asks the buyer to confirm the payment."})},
		{"payment_intent.canceled", intent("canceled", ""), with(charge, ChargeFailed,
			Result{Outcome: Failed, Reference: "pi_1", Code: "canceled", Message: "The payment was cancelled at the processor."})},
		{"refund.created", refund("succeeded"), with(refunded, RefundDone, Result{Outcome: Succeeded, Reference: "re_1"})},
		{"refund.updated", refund("pending"), with(refunded, RefundPending, Result{Outcome: Pending, Reference: "re_1"})},
		{"refund.failed", refund("failed"), with(refunded, RefundFailed,
			Result{Outcome: Declined, Reference: "re_1", Code: "lost_or_stolen_card", Message: "The bank did not take the refund."})},
		{"charge.dispute.created", dispute("needs_response"), with(disputed, ChargeDisputed, Result{})},
		{"charge.dispute.funds_withdrawn", dispute("needs_response"), with(disputed, ChargeDisputed, Result{})},
		{"charge.dispute.closed", dispute("won"), with(disputed, DisputeWon, Result{})},
		{"charge.dispute.closed", dispute("lost"), with(disputed, DisputeLost, Result{})},
		{"charge.dispute.created", dispute("warning_needs_response"), Event{}},
		{"charge.dispute.closed", dispute("warning_closed"), Event{}},
		{"charge.dispute.updated", dispute("under_review"), Event{}},
		{"charge.refunded", `{"id":"ch_1","object":"charge"}`, Event{}},
		{"payment_intent.created", intent("requires_confirmation", ""), Event{}},
		{"payment_intent.succeeded", `{"id":"pi_2","object":"payment_intent","amount":1,"currency":"eur","status":"succeeded","metadata":{}}`, Event{}},
		{"customer.created", `{"id":"cus_1"}`, Event{}},
	} {
		payload := hook(c.kind, c.object)
		got, err := ParseWebhook([]byte(payload), sign(payload, hookSecret, signedAt), hookSecret, signedAt)
		c.want.ID, c.want.Type, c.want.Live, c.want.Created = "evt_1", c.kind, true, time.Unix(1795168800, 0).UTC()
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", c.kind, err, diff)
		}
	}
}

func TestWebhookOfSomebodyElse(t *testing.T) {
	t.Parallel()
	payload := hook("refund.created", `{"id":"re_1","object":"refund","amount":5,"currency":"thb","status":"succeeded"}`)
	got, err := ParseWebhook([]byte(payload), sign(payload, hookSecret, signedAt), hookSecret, signedAt)
	if err != nil || got.Kind != Ignored {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWebhookSignature(t *testing.T) {
	t.Parallel()
	payload := hook("customer.created", `{"note":"Black & White"}`)
	good := sign(payload, hookSecret, signedAt)
	rolled := good + "," + sign(payload, "whsec_old", signedAt)[len(fmt.Sprintf("t=%d,", signedAt.Unix())):]
	for _, c := range []struct {
		name, payload, header, secret string
		now                           time.Time
		valid                         bool
	}{
		{"good", payload, good, hookSecret, signedAt, true},
		{"a little old", payload, good, hookSecret, signedAt.Add(Tolerance), true},
		{"a little early", payload, good, hookSecret, signedAt.Add(-Tolerance), true},
		{"the secret is being changed", payload, rolled, "whsec_old", signedAt, true},
		{"too old", payload, good, hookSecret, signedAt.Add(Tolerance + time.Second), false},
		{"too early", payload, good, hookSecret, signedAt.Add(-Tolerance - time.Second), false},
		{"another secret", payload, good, "whsec_other", signedAt, false},
		{"another body", payload + " ", good, hookSecret, signedAt, false},
		{"another time", payload, fmt.Sprintf("t=%d,%s", signedAt.Unix()+1, good[13:]), hookSecret, signedAt, false},
		{"two times", payload, fmt.Sprintf("t=%d,%s", signedAt.Unix()-9, good), hookSecret, signedAt, false},
		{"no header", payload, "", hookSecret, signedAt, false},
		{"no signature", payload, "t=1", hookSecret, signedAt, false},
		{"an odd header", payload, "t=x,v1=y", hookSecret, signedAt, false},
		{"no secret", payload, sign(payload, "", signedAt), "", signedAt, false},
	} {
		_, err := ParseWebhook([]byte(c.payload), c.header, c.secret, c.now)
		if c.valid && err != nil || !c.valid && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestWebhookThatIsNoEvent(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		``, `x`, `[]`, `{}`, `{"object":"v2.core.event","id":"evt_1"}`,
		hook("payment_intent.succeeded", `[]`),
		hook("payment_intent.succeeded", `{"id":"pi_1","status":"odd","metadata":{"tradecredit_charge":"c-1"}}`),
		hook("refund.created", `7`), hook("refund.created", `{"status":"odd"}`), hook("charge.dispute.closed", `7`),
		hook("refund.created", `{"id":"re_1","status":"succeeded","amount":550,"currency":"isk"}`),
	} {
		if e, err := ParseWebhook([]byte(payload), sign(payload, hookSecret, signedAt), hookSecret, signedAt); err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("%s: %+v, %v", payload, e, err)
		}
	}
}
