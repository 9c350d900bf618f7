package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tradecredit/internal/id"
	"tradecredit/internal/page"
)

// prefixOf is the kind of object that parameters and fields of a name identify.
func prefixOf(name string) (id.Prefix, bool) {
	switch strings.TrimSuffix(name, "_id") {
	case "company", "creditor", "debtor":
		return id.Company, true
	case "soletrader", "sole_trader":
		return id.SoleTrader, true
	case "organisation":
		return id.Organisation, true
	case "user":
		return id.User, true
	case "order":
		return id.Order, true
	case "offer", "payment_offer":
		return id.Offer, true
	case "webhook_endpoint", "endpoint":
		return id.WebhookEndpoint, true
	case "payment_plan", "plan":
		return id.PaymentPlan, true
	case "plan_template", "payment_plan_template", "template":
		return id.PlanTemplate, true
	case "deferred_payment":
		return id.DeferredPayment, true
	case "order_document", "document":
		return id.OrderDocument, true
	case "payout":
		return id.Payout, true
	case "payout_item":
		return id.PayoutItem, true
	case "payout_adjustment":
		return id.PayoutAdjustment, true
	case "billing_account":
		return id.BillingAccount, true
	case "transaction":
		return id.Transaction, true
	case "quote":
		return id.Quote, true
	case "policy":
		return id.Policy, true
	case "collection":
		return id.Collection, true
	case "payment_intent", "intent":
		return id.PaymentIntent, true
	case "event":
		return id.Event, true
	case "delivery":
		return id.Delivery, true
	}
	return "", false
}

// parameters are those of the path, of the query, and the idempotency key.
func parameters(r *Route) []any {
	var out []any
	for _, seg := range segments(r.Path) {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			out = append(out, pathParameter(strings.TrimSuffix(name, "}")))
		}
	}
	given := map[string]bool{}
	for _, q := range r.Query {
		given[q.Name] = true
		out = append(out, object{
			{"name", q.Name}, {"in", "query"}, {"description", q.Doc}, {"schema", object{{"type", "string"}}},
		})
	}
	if isList(r.Response) {
		for _, name := range []string{"limit", "offset", "ordering"} {
			if !given[name] {
				out = append(out, reference("parameters", name))
			}
		}
	}
	if len(r.Expand) > 0 {
		names := slices.Clone(r.Expand)
		slices.Sort(names)
		out = append(out, object{
			{"name", "expand"}, {"in", "query"}, {"style", "form"}, {"explode", false},
			{"description", "Fields that shall hold the object itself instead of its identifier, separated by commas."},
			{"schema", object{{"type", "array"}, {"items", object{{"type", "string"}, {"enum", names}}}}},
		})
	}
	if r.Write != nil {
		out = append(out, reference("parameters", "Idempotency-Key"))
	}
	return out
}

func pathParameter(name string) object {
	words := strings.ReplaceAll(strings.TrimSuffix(name, "_id"), "_", " ")
	o := object{{"name", name}, {"in", "path"}, {"required", true}}
	prefix, ok := prefixOf(name)
	if !ok {
		o.set("description", "Which "+words+".")
		o.set("schema", object{{"type", "string"}})
		return o
	}
	o.set("description", fmt.Sprintf("Identifier of the %s, `%s-…`.", words, prefix))
	o.set("schema", object{{"type", "string"}})
	o.set("example", exampleID(prefix, name))
	return o
}

// sharedParameters are those of many routes.
func sharedParameters() object {
	integer := func(least, most int) object {
		o := object{{"type", "integer"}, {"minimum", least}}
		if most > 0 {
			o.set("maximum", most)
			o.set("default", page.DefaultLimit)
		}
		return o
	}
	query := func(name, doc string, schema object) member {
		return member{name, object{{"name", name}, {"in", "query"}, {"description", doc}, {"schema", schema}}}
	}
	return object{
		query("limit", "How many objects to list at most.", integer(1, page.MaxLimit)),
		query("offset", "How many objects to skip.", integer(0, 0)),
		query("ordering", "`created` lists the oldest first, `-created` the newest.",
			object{{"type", "string"}, {"default", "-created"}}),
		{"Idempotency-Key", object{
			{"name", "Idempotency-Key"}, {"in", "header"},
			{"description", "A name of your own for this request. The same request under the same key is done once: " +
				"repeating it gives the first answer again. Another request under the same key is refused."},
			{"schema", object{{"type", "string"}, {"maxLength", 255}, {"pattern", "^[ -~]*$"}}},
			{"example", "33871f6b-ff2f-4de3-9e10-ff42ef7af553"},
		}},
	}
}

// sharedHeaders are the headers of answers.
func sharedHeaders() object {
	text := func(name, doc, example string) member {
		return member{name, object{{"description", doc}, {"schema", object{{"type", "string"}}}, {"example", example}}}
	}
	number := func(name, doc string, example int) member {
		return member{name, object{
			{"description", doc}, {"schema", object{{"type", "integer"}, {"minimum", 0}}}, {"example", example},
		}}
	}
	return object{
		text("Request-Id", "Identifies the request; name it when you ask about it.", exampleID(id.Request, "request")),
		text("Allow", "The methods of the path.", "GET, POST, HEAD, OPTIONS"),
		text("Location", "Address of the object.", "https://api.example.com/v1/payment/orders/"+exampleID(id.Order, "order")),
		text("WWW-Authenticate", "The scheme of credentials.", "Token"),
		text("Idempotency-Replayed", "`true` when the answer is that of an earlier request with the same key.", "true"),
		number("RateLimit-Limit", "How many requests may be made at once.", 2000),
		number("RateLimit-Remaining", "How many of them are left.", 1999),
		number("RateLimit-Reset", "Seconds until all of them are there again.", 1),
		number("Retry-After", "Seconds to wait before the next request.", 60),
	}
}

func headerReferences(names ...string) object {
	out := object{}
	for _, name := range names {
		out.set(name, reference("headers", name))
	}
	return out
}

// refusals are the statuses other than success that a route answers, in order.
func refusals(r *Route) []int {
	out := slices.Clone(r.Errors)
	if r.Access != Open {
		out = append(out, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
			http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusTooManyRequests)
	}
	out = append(out, http.StatusInternalServerError)
	if r.Method != http.MethodGet && r.Access != Open {
		out = append(out, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	if r.Body != nil {
		out = append(out, http.StatusBadRequest, http.StatusUnsupportedMediaType)
	}
	if r.Write != nil {
		out = append(out, http.StatusBadRequest, http.StatusConflict)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// errorName names the shared answer of a status.
func errorName(status int) string {
	if name := camel(http.StatusText(status)); name != "" {
		return name
	}
	return fmt.Sprintf("Status%d", status)
}

// errorSchemas are the bodies of refusals.
func errorSchemas() object {
	text := object{{"type", "string"}}
	only := func(field, doc string) object {
		return object{
			{"type", "object"}, {"description", doc}, {"properties", object{{field, text}}},
			{"required", []string{field}},
		}
	}
	sentences := object{{"type", "array"}, {"items", text}}
	self := reference("schemas", "ValidationErrors")
	return object{
		{"ErrorDetail", only("detail", "What is wrong with the request as a whole.")},
		{"ErrorText", only("error", "What is wrong with the idempotency key, or, with a 500, with us.")},
		{"ValidationErrors", object{
			{"type", "object"}, {"minProperties", 1},
			{"description", "What is wrong with the body: for each field its mistakes, all at once. " +
				"Those of the body as a whole stand under `non_field_errors`. A nested object has errors of its own; " +
				"a list of values has its errors by index; a list of objects has one entry for each."},
			{"additionalProperties", object{{"anyOf", []any{
				sentences, object{{"type", "array"}, {"items", reference("schemas", "ItemErrors")}}, self,
			}}}},
		}},
		{"ItemErrors", object{
			{"description", "What is wrong with one object of a list: nothing, its mistakes by field, or that it is no object."},
			{"anyOf", []any{
				sentences,
				object{{"type", "object"}, {"additionalProperties", object{{"anyOf", []any{text, sentences, self}}}}},
			}},
		}},
	}
}

// example is one of several, with a name.
type example struct {
	name  string
	value any
}

// errorResponses are the answers of refusal that the routes refer to.
func (d *document) errorResponses() object {
	var statuses []int
	for status := range d.responses {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	out := object{}
	for _, status := range statuses {
		out.set(errorName(status), errorResponse(status))
	}
	return out
}

func errorResponse(status int) object {
	doc, bodies, examples := refusal(status)
	var schema any = reference("schemas", bodies[0])
	if len(bodies) > 1 {
		var any []any
		for _, name := range bodies {
			any = append(any, reference("schemas", name))
		}
		schema = object{{"anyOf", any}}
	}
	all := object{}
	for _, e := range examples {
		all.set(e.name, object{{"value", e.value}})
	}
	headers := []string{"Request-Id", "Allow", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
	switch status {
	case http.StatusUnauthorized:
		headers = append(headers, "WWW-Authenticate")
	case http.StatusTooManyRequests:
		headers = append(headers, "Retry-After")
	}
	return object{
		{"description", doc}, {"headers", headerReferences(headers...)},
		{"content", object{{"application/json", object{{"schema", schema}, {"examples", all}}}}},
	}
}

// refusal says what a status means, which bodies it has, and shows some.
func refusal(status int) (doc string, bodies []string, examples []example) {
	one := func(doc, text string) (string, []string, []example) {
		return doc, []string{"ErrorDetail"}, []example{{"detail", object{{"detail", text}}}}
	}
	switch status {
	case http.StatusBadRequest:
		return "The request is not valid.", []string{"ErrorDetail", "ErrorText", "ValidationErrors"}, []example{
			{"fields", object{{"unique_id", []string{"This field is required."}}}},
			{"items", object{{"items", []any{object{}, object{{"quantity", []string{"A valid number is required."}}}}}}},
			{"body", object{{"non_field_errors", []string{"Invalid data. Expected a dictionary, but got list."}}}},
			{"json", object{{"detail", "JSON parse error - Expecting value: line 1 column 1 (char 0)"}}},
			{"idempotency", object{{"error", "The `Idempotency-Key` may have at most 255 characters."}}},
		}
	case http.StatusUnauthorized:
		return "There are no credentials, or they are not good.", []string{"ErrorDetail"}, []example{
			{"missing", object{{"detail", "Authentication credentials were not provided."}}},
			{"unknown", object{{"detail", "Invalid token."}}},
		}
	case http.StatusForbidden:
		return one("The key may not do this.", "You do not have permission to perform this action.")
	case http.StatusNotFound:
		return one("There is no such object of yours.", "Not found.")
	case http.StatusMethodNotAllowed:
		return one("The path does not have the method.", `Method "PUT" not allowed.`)
	case http.StatusNotAcceptable:
		return one("The Accept header does not take JSON.", "Could not satisfy the request Accept header.")
	case http.StatusConflict:
		return "The state of the object forbids this, or the first request with the same idempotency key still runs.",
			[]string{"ErrorDetail", "ErrorText"}, []example{
				{"state", object{{"detail", "Order has a deferred payment, it cannot be deleted."}}},
				{"running", object{{"error", "A request with the `Idempotency-Key` [1] is still being processed."}}},
			}
	case http.StatusRequestEntityTooLarge:
		return one("The body is too large.", fmt.Sprintf("The request body is larger than %d bytes.", maxBody))
	case http.StatusUnsupportedMediaType:
		return one("The body is not of a type that the route reads.", `Unsupported media type "text/plain" in request.`)
	case http.StatusTooManyRequests:
		return one("There were too many requests.", "Request was throttled. Expected available in 60 seconds.")
	case http.StatusInternalServerError:
		return "Our own fault. It is safe to repeat the request under the same idempotency key.",
			[]string{"ErrorText"}, []example{{"fault", object{{"error", "Server Error (500)"}}}}
	}
	return one(http.StatusText(status)+".", http.StatusText(status)+".")
}
