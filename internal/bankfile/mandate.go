package bankfile

// CheckMandate tells what is wrong with the reference of a mandate, which is that
// of its debits in a Bacs file.
func CheckMandate(reference string, bacs bool) error {
	if bacs {
		return checkReference(reference)
	}
	return checkID("reference", reference, maxID)
}
