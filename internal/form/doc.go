// Package form turns a JSON request body into typed values, or into the exact
// validation errors of Django REST Framework 3.14.
//
// A body is declared once, as a Form of Fields. From the declaration come
// decoding, validation, the behaviour of PATCH (mode Partial) and a JSON schema.
//
// The rules were recorded from a running Django REST Framework application; the
// recorded cases are the test data of this package. The package follows them in
// three things that surprise: strings are trimmed the way Python trims them,
// numbers and strings stand in for each other, and null, "" and a missing key
// are three different mistakes. Where the recorded application crashed, this
// package answers with a validation error.
package form
