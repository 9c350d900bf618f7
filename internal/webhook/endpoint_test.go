package webhook

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/apierr"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
)

func wantStatus(t *testing.T, err error, code int) {
	t.Helper()
	var e *apierr.Error
	if !errors.As(err, &e) || e.Status != code {
		t.Errorf("got %v, not a %d", err, code)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		first := h.endpoint(Input{URL: "http://localhost:1/a?x=1&y=%20", Authorization: "Bearer x", Events: []string{"order.*", "offer.created"}})
		second := h.endpoint(Input{URL: "https://shop.example/b"})
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(first.Secret, "whsec_"))
		if err != nil || len(raw) != 32 || !strings.HasPrefix(first.Secret, "whsec_") || first.Secret == second.Secret {
			t.Errorf("secrets %q and %q: %v", first.Secret, second.Secret, err)
		}
		h.write(func(tx *db.Tx) error {
			got, err := h.Get(ctx, tx, h.merchant.ID, first.ID)
			if err != nil {
				return err
			}
			if d := cmp.Diff(first.Endpoint, got); d != "" {
				t.Error(d)
			}
			list, err := h.List(ctx, tx, h.merchant.ID, 1, 1)
			if err != nil || len(list) != 1 || list[0].ID != first.ID {
				t.Errorf("the second page of one: %+v, %v", list, err)
			}
			off, url := false, "https://shop.example/c"
			changed, err := h.Update(ctx, tx, h.merchant, first.ID, Change{Active: &off, URL: &url})
			if err != nil || changed.URL != url || changed.Active || changed.Authorization != "Bearer x" {
				t.Errorf("changed: %+v, %v", changed, err)
			}
			if got, err = h.Get(ctx, tx, h.merchant.ID, first.ID); err != nil || cmp.Diff(changed, got) != "" {
				t.Errorf("stored: %+v, %v", got, err)
			}
			if err := h.Delete(ctx, tx, h.merchant.ID, second.ID); err != nil {
				return err
			}
			n, err := h.Count(ctx, tx, h.merchant.ID)
			if n != 1 {
				t.Errorf("%d endpoints are left", n)
			}
			return err
		})
	})
}

func TestEndpointRefusals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		e := h.endpoint(Input{URL: "https://shop.example/"})
		other := h.merchant
		other.ID = "mer-other"
		err := d.Write(ctx, func(tx *db.Tx) error {
			for _, in := range []Input{
				{URL: "nowhere"},
				{URL: "https://shop.example/", Authorization: "a\r\nX-Evil: 1"},
				{URL: "https://shop.example/", Events: []string{"order*"}},
			} {
				_, err := h.Create(ctx, tx, h.merchant, in)
				wantStatus(t, err, http.StatusBadRequest)
				_, err = h.Update(ctx, tx, h.merchant, e.ID, Change{URL: &in.URL, Authorization: &in.Authorization, Events: &in.Events})
				wantStatus(t, err, http.StatusBadRequest)
			}
			_, err := h.node(clock.System{}, merchant.Production).Create(ctx, tx, h.merchant, Input{URL: "http://shop.example/"})
			wantStatus(t, err, http.StatusBadRequest)
			for _, m := range []merchant.Merchant{other, h.merchant} {
				missing := e.ID
				if m.ID == h.merchant.ID {
					missing = "whe-none"
				}
				_, err = h.Get(ctx, tx, m.ID, missing)
				wantStatus(t, err, http.StatusNotFound)
				_, err = h.Update(ctx, tx, m, missing, Change{})
				wantStatus(t, err, http.StatusNotFound)
				_, err = h.Rotate(ctx, tx, m.ID, missing)
				wantStatus(t, err, http.StatusNotFound)
				wantStatus(t, h.Delete(ctx, tx, m.ID, missing), http.StatusNotFound)
				_, err = h.GetDelivery(ctx, tx, m.ID, "whd-none")
				wantStatus(t, err, http.StatusNotFound)
				_, err = h.Replay(ctx, tx, m.ID, "whd-none")
				wantStatus(t, err, http.StatusNotFound)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestEndpointsAreBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		h.write(func(tx *db.Tx) error {
			for range maxEndpoints {
				if _, err := h.Create(context.Background(), tx, h.merchant, Input{URL: "https://shop.example/"}); err != nil {
					return err
				}
			}
			_, err := h.Create(context.Background(), tx, h.merchant, Input{URL: "https://shop.example/"})
			wantStatus(t, err, http.StatusConflict)
			return nil
		})
	})
}
