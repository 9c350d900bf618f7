// Package bankfile writes and reads the files that are exchanged with banks:
// ISO 20022 credit transfers, direct debits, status reports and statements, and
// Bacs submissions and returns.
//
// Amounts are minor units everywhere. Nothing here knows a database or a clock:
// identifiers and times are the caller's, so the same input makes the same file.
package bankfile
