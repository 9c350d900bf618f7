// Package apierr is the one type of error that may reach a client: a status, a
// body that is safe to show, and, for the log alone, the cause.
//
// Services return it; one encoder writes it. No handler looks into errors.
package apierr

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Error is an answer other than success.
type Error struct {
	Status int
	// Body is encoded as JSON. It never holds internals.
	Body any
	// RetryAfter, when set, is sent as Retry-After, in whole seconds.
	RetryAfter time.Duration
	// Cause is for the log.
	Cause error
}

// Error implements error. The text is for the log.
func (e *Error) Error() string {
	body, err := json.Marshal(e.Body)
	if err != nil {
		body = []byte(err.Error())
	}
	if e.Cause != nil {
		return fmt.Sprintf("%d %s: %v", e.Status, body, e.Cause)
	}
	return fmt.Sprintf("%d %s", e.Status, body)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// detail is the body of errors that concern a whole request.
type detail struct {
	Detail string `json:"detail"`
}

// Detail is an error with the body {"detail": text}.
func Detail(status int, text string) *Error { return &Error{Status: status, Body: detail{text}} }

// NotFound is the answer for an object that does not exist, or not for this
// merchant.
func NotFound() *Error { return Detail(http.StatusNotFound, "Not found.") }

// Forbidden is the answer to an authenticated caller who may not do this.
func Forbidden() *Error {
	return Detail(http.StatusForbidden, "You do not have permission to perform this action.")
}

// Conflict is the answer when the state of an object forbids an action.
func Conflict(text string) *Error { return Detail(http.StatusConflict, text) }

// BadRequest is a 400 with the body {"detail": text}.
func BadRequest(text string) *Error { return Detail(http.StatusBadRequest, text) }

// Field is a 400 for one field of the body: {"<field>": [message]}.
func Field(field, message string) *Error {
	return &Error{Status: http.StatusBadRequest, Body: map[string][]string{field: {message}}}
}

// Invalid is a 400 with the body that validation made.
func Invalid(body any) *Error { return &Error{Status: http.StatusBadRequest, Body: body} }

// Throttled is a 429 that says when to try again.
func Throttled(wait time.Duration) *Error {
	seconds := int((wait + time.Second - 1) / time.Second)
	unit := "seconds"
	if seconds == 1 {
		unit = "second"
	}
	e := Detail(http.StatusTooManyRequests, fmt.Sprintf("Request was throttled. Expected available in %d %s.", seconds, unit))
	e.RetryAfter = time.Duration(seconds) * time.Second
	return e
}

// From returns the answer for err. Whatever is not an *Error is our own fault: a
// 500 with the documented body, and err as the cause.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{
		Status: http.StatusInternalServerError,
		Body:   map[string]string{"error": "Server Error (500)"},
		Cause:  err,
	}
}
