// Package fuzz is for tests alone. It sends an API requests that went wrong in
// every way that requests go wrong, and holds each answer against the OpenAPI
// document and a few promises: no fault of ours, no word of our insides.
//
// Requests start from seeds: those that a test gives, and the documented example
// of every operation. Identifiers in them are replaced by those that the answers
// showed, so that the fuzzer finds its way to objects it has made.
package fuzz
