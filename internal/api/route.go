// Package api is the wire: one table of routes from which the router, the Allow
// headers, the rate limits and the OpenAPI document are made, and the way that
// every request takes through it.
//
// The resources of each family stand in packages of their own below this one.
package api

import (
	"net/http"

	"tradecredit/internal/db"
	"tradecredit/internal/form"
)

// Access says who may call a route.
type Access int

// The levels of access, from the narrowest.
const (
	// Secret routes want a merchant's secret key.
	Secret Access = iota
	// Public routes take a public key as well.
	Public
	// Anonymous routes take any key or none. Wrong credentials still fail.
	Anonymous
	// Open routes are outside the API: they look at no credentials at all.
	Open
)

// Param documents a query parameter.
type Param struct {
	Name string
	Doc  string
}

// Route is one method of one path. What is not in a route table does not exist.
type Route struct {
	Method string
	// Path is the pattern: literal segments and {parameters}, no slash at the end.
	Path    string
	Tag     string
	Summary string
	// Doc says more than the summary, in Markdown.
	Doc    string
	Access Access
	// Body is the form of the request; nil when the route reads none.
	Body *form.Form
	// Files takes the files of a body that is multipart/form-data; nil for JSON.
	Files Files
	// Before refuses a request with Files before its body is read, for example
	// because there is no such object.
	Before func(c *Call, tx *db.Tx) error
	Query  []Param
	// Expand names what ?expand= may replace by the object itself.
	Expand []string
	// Response is a value of the type of the answer, Status the status of
	// success; Also lists further statuses of success, for example 200 beside 201.
	Response any
	Status   int
	Also     []int
	// Errors are the statuses of refusal that the route itself can answer, beside
	// those that every route can.
	Errors []int
	// ContentType is that of the answer when it is not JSON.
	ContentType string

	// Exactly one of these does the work. Read and Write run in a transaction;
	// Write is idempotent under an Idempotency-Key. Serve does as it likes.
	Read  func(c *Call, tx *db.Tx) (*Response, error)
	Write func(c *Call, tx *db.Tx) (*Response, error)
	Serve func(c *Call) (*Answer, error)
}

// Response is what a handler answers; the server encodes it.
type Response struct {
	Status int
	// Body is encoded as JSON. With nil the answer has no body at all.
	Body any
	// Encoded, when set, is the body as JSON already.
	Encoded []byte
	// Location is sent with a 201 when the object has a url.
	Location string
}

// OK is a 200 with a body.
func OK(body any) *Response { return &Response{Status: http.StatusOK, Body: body} }

// Created is a 201 with a body.
func Created(body any) *Response { return &Response{Status: http.StatusCreated, Body: body} }

// Upserted is a 201 when the object is new and a 200 when it was there before.
func Upserted(body any, created bool) *Response {
	if created {
		return Created(body)
	}
	return OK(body)
}

// NoContent is a 204.
func NoContent() *Response { return &Response{Status: http.StatusNoContent} }

// Answer is an encoded answer.
type Answer struct {
	Status      int
	Location    string
	ContentType string
	Body        []byte
	// Replayed is set when the answer is that of an earlier request with the same
	// key.
	Replayed bool
	// Header holds further headers.
	Header http.Header
}
