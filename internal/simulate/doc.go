// Package simulate proves the books: it lets merchants and their buyers do
// business at random for years on the sandbox's clock, over HTTP, and holds every
// figure that the API shows against a second, simple set of books.
//
// The second set is written from the contract and knows nothing of the packages
// that it checks: not their rules, not their arithmetic, not their calendars. What
// the program does by itself at a known time it foretells; what it collects from
// buyers it takes from the answers, and demands that it was due, that it was asked
// for on its day, and that it was asked for once.
package simulate
