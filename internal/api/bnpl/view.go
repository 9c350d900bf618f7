package bnpl

import (
	"context"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/merchant"
)

// View is what it takes to show objects: for whom, from which address, at what
// time. Objects are shown in answers and, without any request, in
// notifications.
type View struct {
	context.Context
	Merchant merchant.Merchant
	// PublicURL goes before the paths of urls; "" makes them relative.
	PublicURL string
	// PagesURL goes before the paths of hosted pages, which are for people and so
	// are never relative.
	PagesURL string
	// Now is the merchant's time.
	Now time.Time
}

// view is how the caller of a request sees objects.
func (a *API) view(c *api.Call) View {
	return View{Context: c.Context, Merchant: c.Merchant, PublicURL: c.URL(""), PagesURL: c.URL(""), Now: c.Now}
}
