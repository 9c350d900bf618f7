package company

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// land is what the fictional companies of a country are made of.
type land struct {
	code, currency, system string
	forms                  []form
	names, trades          []string
	patterns               []string // of a name and a trade
	streets                []string // with the house number
	cities                 []city
	sectors                []string
	number                 func(i int) string
	address                func(street, postcode, city string) string
}

// form is a legal form as it stands in a name, and in full.
type form struct {
	short, full string
	first       bool // in front of the name
}

// city has postcodes in which every # is a digit and every @ a letter.
type city struct{ name, code string }

func (c city) postcode(r *rand.Rand) string {
	return strings.Map(func(ch rune) rune {
		switch ch {
		case '#':
			return rune('0' + r.IntN(10))
		case '@':
			return rune("ABDEFGHJLNPQRSTUWXYZ"[r.IntN(20)])
		}
		return ch
	}, c.code)
}

// lands are the countries of the sandbox. Registration numbers have the form and
// the check digits of the country but lie where its register has given none.
func lands() []land {
	return []land{britain(), france(), germany(), spain(), italy(), netherlands(), belgium(), ireland()}
}

func codeFirst(street, postcode, city string) string { return street + ", " + postcode + " " + city }

func codeLast(street, postcode, city string) string { return street + ", " + city + ", " + postcode }

func alternatives(text string) []string { return strings.Split(text, "|") }

func britain() land {
	return land{
		code: "GB", currency: "GBP", system: "SIC2007",
		forms: []form{
			{short: "Ltd", full: "Private limited with share capital"},
			{short: "Limited", full: "Private limited with share capital"},
			{short: "PLC", full: "Public limited with share capital"},
			{short: "LLP", full: "Limited liability partnership"},
		},
		names: alternatives("Alderbrook|Ashcombe|Birchfield|Blackwater|Bramble|Calder|Chalkhill|Clearwater|Copperfield|Cresswell|" +
			"Dunmore|Eastgate|Elmswood|Fairburn|Fenwick|Foxley|Glenmoor|Greyfriars|Halewood|Hawthorne|Highgrove|Ironbridge|" +
			"Kestrel|Kingsmere|Langdale|Larkspur|Marlowe|Millbrook|Northgate|Oakhurst|Penrose|Quayside|Redstone|Rosewell|" +
			"Sandhurst|Silverdale|Stonecroft|Tamarind|Thornbury|Underhill|Wexcombe|Whitlock|Windermoor|Wolfdale|Yewtree"),
		trades: alternatives("Building Supplies|Catering|Components|Consulting|Distribution|Electrical|Engineering|Fabrications|" +
			"Foods|Furniture|Garden Centres|Logistics|Machine Tools|Office Supplies|Packaging|Plumbing & Heating|Printing|" +
			"Safety Wear|Services|Systems|Textiles|Timber|Trading|Wholesale"),
		patterns: []string{"%s %s", "%s & Sons %s", "The %s %s Company"},
		streets:  alternatives("%d High Street|%d Station Road|%d Mill Lane|Unit %d Riverside Park|%d Church Road|%d Victoria Street"),
		cities: []city{{"London", "SE# #@@"}, {"Manchester", "M# #@@"}, {"Leeds", "LS# #@@"}, {"Bristol", "BS# #@@"},
			{"Glasgow", "G# #@@"}, {"Cardiff", "CF# #@@"}, {"Birmingham", "B# #@@"}, {"Norwich", "NR# #@@"}},
		sectors: alternatives("46190|43210|62012|25620|10890|47990|49410|18129|31090|46730"),
		number:  func(i int) string { return fmt.Sprintf("98%06d", i*37+11) },
		address: codeLast,
	}
}

func france() land {
	return land{
		code: "FR", currency: "EUR", system: "NAF_2008",
		forms: []form{
			{short: "SARL", full: "Société à responsabilité limitée"},
			{short: "SAS", full: "Société par actions simplifiée"},
			{short: "SA", full: "Société anonyme"},
			{short: "SARL", full: "Société à responsabilité limitée", first: true},
		},
		names: alternatives("Aubépine|Beaulieu|Belle Étoile|Bois Joli|Bréguet-Vasseur|Champclair|Château Vert|Clos Fleuri|" +
			"Deux Rivières|Delacourt|Écluse|Fontbonne|Genêts|Grand Large|Hautbois|Île Blanche|L'Horizon|La Colline|" +
			"Le Phare|Les Tilleuls|Marchevent|Montjoie|Noisetier|Pont Neuf|Quatre Chemins|Rocheclaire|Saint-Aubin|" +
			"Sillon|Tramontane|Val d'Or|Vertbois|Villeneuve"),
		trades: alternatives("Bâtiment|Boulangerie|Bureautique|Conseil|Distribution|Électricité|Emballages|Énergie|Équipement|" +
			"Imprimerie|Industrie|Informatique|Logistique|Maçonnerie|Matériaux|Mécanique|Menuiserie|Négoce|Outillage|" +
			"Plomberie|Restauration|Services|Textiles|Transports"),
		patterns: []string{"%[1]s %[2]s", "%[2]s %[1]s", "%[2]s de %[1]s"},
		streets:  alternatives("%d rue de la République|%d avenue Jean Jaurès|%d rue des Écoles|%d boulevard Voltaire|%d chemin du Moulin"),
		cities: []city{{"Paris", "750##"}, {"Lyon", "6900#"}, {"Nantes", "44#00"}, {"Lille", "59#00"},
			{"Toulouse", "31#00"}, {"Bordeaux", "33#00"}, {"Rennes", "35#00"}, {"Strasbourg", "67#00"}},
		sectors: alternatives("46.90Z|43.21A|62.01Z|25.62B|10.71C|47.91A|49.41B|18.12Z|31.01Z|46.73A"),
		number:  func(i int) string { return luhn(fmt.Sprintf("99%06d", i*41+7)) },
		address: codeFirst,
	}
}

func germany() land {
	return land{
		code: "DE", currency: "EUR", system: "WZ_2008",
		forms: []form{
			{short: "GmbH", full: "Gesellschaft mit beschränkter Haftung"},
			{short: "GmbH & Co. KG", full: "Kommanditgesellschaft"},
			{short: "AG", full: "Aktiengesellschaft"},
			{short: "UG (haftungsbeschränkt)", full: "Unternehmergesellschaft"},
		},
		names: alternatives("Ahrensfeld|Bachmüller|Birkenau|Brückner & Söhne|Dünenkamp|Eichengrund|Falkensee|Föhrenwald|Grünwald|" +
			"Hafenkante|Hohenfels|Jägerhof|Kieselbach|Kranich|Königsberger|Lindenthal|Mühlbach|Nordlicht|Oberländer|" +
			"Quellental|Rabenstein|Schönfelder|Seehausen|Sonnenberg|Steinhöfel|Tannhäuser|Überseehaus|Waldkirch|Wiesengrund|Zeißner"),
		trades: alternatives("Anlagenbau|Backwaren|Baustoffe|Bürobedarf|Dienstleistungen|Druck|Elektrotechnik|Energietechnik|" +
			"Feinkost|Großhandel|Handel|Holzbau|Kältetechnik|Logistik|Maschinenbau|Metallbau|Möbel|Sanitär|Software|" +
			"Spedition|Textil|Verpackungen|Werkzeuge"),
		patterns: []string{"%s %s", "%s-%s"},
		streets:  alternatives("Hauptstraße %d|Bahnhofstraße %d|Gartenweg %d|Industriestraße %d|Am Alten Markt %d"),
		cities: []city{{"Berlin", "101##"}, {"Hamburg", "200##"}, {"München", "803##"}, {"Köln", "506##"},
			{"Frankfurt am Main", "603##"}, {"Leipzig", "041##"}, {"Stuttgart", "701##"}, {"Düsseldorf", "402##"}},
		sectors: alternatives("46.90.1|43.21.0|62.01.0|25.62.0|10.71.0|47.91.1|49.41.0|18.12.0|31.01.2|46.73.1"),
		number:  func(i int) string { return fmt.Sprintf("HRB 98%04d", i*13+3) },
		address: codeFirst,
	}
}

func spain() land {
	return land{
		code: "ES", currency: "EUR", system: "CNAE_2009",
		forms: []form{
			{short: "S.L.", full: "Sociedad limitada"},
			{short: "SL", full: "Sociedad limitada"},
			{short: "S.A.", full: "Sociedad anónima"},
			{short: "SLU", full: "Sociedad limitada unipersonal"},
		},
		names: alternatives("Alcornoque|Almendro|Bahía Azul|Cañada Real|Cierzo|Costa Brava Norte|Dehesa|El Pinar|Encina|Fuente Clara|" +
			"Gavilán|Hermanos Ibáñez|Jacaranda|La Ribera|Las Peñas|Levante|Los Álamos|Mar Menor|Monteagudo|Nuñez y Rey|" +
			"Olivares|Peñalara|Puerta del Sol|Río Tinto Viejo|Salamandra|Sierra Alta|Tajo|Valdehierro|Viñedos del Duero|Zahorí"),
		trades: alternatives("Alimentación|Asesores|Automoción|Climatización|Comercial|Construcciones|Distribuciones|Electricidad|" +
			"Embalajes|Energía|Ferretería|Gráficas|Hostelería|Industrial|Informática|Logística|Maquinaria|Materiales|" +
			"Muebles|Servicios|Suministros|Textil|Transportes"),
		patterns: []string{"%[1]s %[2]s", "%[2]s %[1]s"},
		streets:  alternatives("Calle Mayor %d|Avenida de la Constitución %d|Calle del Carmen %d|Polígono Industrial Norte, nave %d"),
		cities: []city{{"Madrid", "280##"}, {"Barcelona", "080##"}, {"Valencia", "460##"}, {"Sevilla", "410##"},
			{"Zaragoza", "500##"}, {"Bilbao", "480##"}, {"Málaga", "290##"}, {"A Coruña", "150##"}},
		sectors: alternatives("4690|4321|6201|2562|1071|4791|4941|1812|3101|4673"),
		number:  func(i int) string { return "B" + luhn(fmt.Sprintf("99%05d", i*43+5)) },
		address: codeFirst,
	}
}

func italy() land {
	return land{
		code: "IT", currency: "EUR", system: "ATECO_2007",
		forms: []form{
			{short: "S.r.l.", full: "Società a responsabilità limitata"},
			{short: "Srl", full: "Società a responsabilità limitata"},
			{short: "S.p.A.", full: "Società per azioni"},
			{short: "S.n.c.", full: "Società in nome collettivo"},
		},
		names: alternatives("Acquachiara|Alba Nuova|Belvedere|Borgo Antico|Campoverde|Ca' Bianca|Cinque Torri|Colle Fiorito|Dell'Orto|" +
			"Fratelli Bassani|Ginestra|La Perla Blu|Lago Alto|Maestrale|Montefiore|Oltremare|Pietra Serena|Ponte Vecchio Nuovo|" +
			"Quercia|Roccabruna|San Donato|Scirocco|Sette Colli|Terra Rossa|Tramontana|Val di Luce|Vigna Grande|Villaverde|Zafferano"),
		trades: alternatives("Alimentari|Arredamenti|Automazione|Carpenteria|Commerciale|Consulenza|Costruzioni|Distribuzione|Edilizia|" +
			"Elettronica|Energia|Grafica|Imballaggi|Impianti|Informatica|Legnami|Logistica|Meccanica|Ristorazione|Servizi|" +
			"Tessile|Trasporti|Utensili"),
		patterns: []string{"%[1]s %[2]s", "%[2]s %[1]s"},
		streets:  alternatives("Via Roma %d|Via Garibaldi %d|Corso Italia %d|Viale dell'Industria %d|Piazza Duomo %d"),
		cities: []city{{"Milano", "201##"}, {"Roma", "001##"}, {"Torino", "101##"}, {"Bologna", "401##"},
			{"Napoli", "801##"}, {"Firenze", "501##"}, {"Forlì", "47121"}, {"Padova", "351##"}},
		sectors: alternatives("46.90.00|43.21.01|62.01.00|25.62.00|10.71.10|47.91.10|49.41.00|18.12.00|31.01.21|46.73.10"),
		number:  func(i int) string { return luhn(fmt.Sprintf("99%08d", i*47+9)) },
		address: codeFirst,
	}
}

func netherlands() land {
	return land{
		code: "NL", currency: "EUR", system: "SBI_2008",
		forms: []form{
			{short: "B.V.", full: "Besloten vennootschap"},
			{short: "BV", full: "Besloten vennootschap"},
			{short: "N.V.", full: "Naamloze vennootschap"},
			{short: "V.O.F.", full: "Vennootschap onder firma"},
		},
		names: alternatives("Achterberg|Bloemendal|De Gouden Eik|De Kievit|Dijkgraaf|Duinzicht|Eikenhof|Gerritsen & Zn|Haverkamp|" +
			"Het Anker|Hoogwater|IJsselmond|Kastanjelaan|Korenbloem|Lindehof|Maasoever|Noorderlicht|Oudeland|Polderwind|" +
			"Rietveld|Scheepmaker|Tulpenveld|Van der Veer|Van Oosten|Waterman|Westpoort|Zilvermeeuw|Zonnehoek|Zuidas Centrum"),
		trades: alternatives("Advies|Bouw|Bouwmaterialen|Catering|Diensten|Drukkerij|Elektrotechniek|Energie|Groothandel|Handel|" +
			"Horeca|Installatie|Kantoorartikelen|Logistiek|Machinebouw|Meubelen|Software|Techniek|Textiel|Transport|Verpakkingen"),
		patterns: []string{"%s %s"},
		streets:  alternatives("Dorpsstraat %d|Stationsweg %d|Kerkstraat %d|Havenkade %d|Industrieweg %d"),
		cities: []city{{"Amsterdam", "101# @@"}, {"Rotterdam", "301# @@"}, {"Utrecht", "351# @@"}, {"Eindhoven", "561# @@"},
			{"Groningen", "971# @@"}, {"Den Haag", "251# @@"}, {"Nijmegen", "651# @@"}},
		sectors: alternatives("46901|43210|62010|25620|10711|47911|49410|18129|31010|46731"),
		number:  func(i int) string { return fmt.Sprintf("99%06d", i*53+21) },
		address: codeFirst,
	}
}

func belgium() land {
	return land{
		code: "BE", currency: "EUR", system: "NACEBEL_2008",
		forms: []form{
			{short: "SRL", full: "Société à responsabilité limitée"},
			{short: "BV", full: "Besloten vennootschap"},
			{short: "SA", full: "Société anonyme"},
			{short: "NV", full: "Naamloze vennootschap"},
		},
		names: alternatives("Ardenne Verte|Belfort|Bois de la Cambre|De Leie|Demeulemeester|Dender|Écluse|Fagnes|Gaume|Haspengouw|" +
			"Hautes Fagnes|Het Zwin|Kempen|La Meuse|Lambermont|Leiedal|Maasland|Meerlaan|Ourthe|Pajottenland|Quai Vert|" +
			"Scheldezicht|Semois|Vanderlinden|Vesdre|Vlaamse Hoek|Waterloo Sud|Westhoek|Zenne|Zonnebeke"),
		trades: alternatives("Bouw|Brasserie|Construct|Consult|Distribution|Diensten|Électricité|Energy|Food|Handel|Imprimerie|" +
			"Industrie|Logistics|Matériaux|Meubelen|Menuiserie|Services|Solutions|Techniek|Textiles|Transport|Verpakking"),
		patterns: []string{"%s %s"},
		streets:  alternatives("Rue Haute %d|Kerkstraat %d|Avenue Louise %d|Stationsstraat %d|Chaussée de Namur %d"),
		cities: []city{{"Bruxelles", "10##"}, {"Antwerpen", "20##"}, {"Gent", "90##"}, {"Liège", "40##"},
			{"Namur", "50##"}, {"Leuven", "30##"}, {"Brugge", "80##"}},
		sectors: alternatives("46900|43211|62010|25620|10711|47910|49410|18120|31010|46731"),
		number: func(i int) string {
			n := 9_990_000 + i*19
			s := fmt.Sprintf("%08d%02d", n, 97-n%97)
			return s[:4] + "." + s[4:7] + "." + s[7:]
		},
		address: codeFirst,
	}
}

func ireland() land {
	return land{
		code: "IE", currency: "EUR", system: "NACE_2",
		forms: []form{
			{short: "Limited", full: "Private company limited by shares"},
			{short: "Ltd", full: "Private company limited by shares"},
			{short: "DAC", full: "Designated activity company"},
			{short: "PLC", full: "Public limited company"},
		},
		names: alternatives("Ardmore|Ballinore|Brú na Mara|Burrenside|Carraig|Clonbrack|Connemara Light|Corrib|Dún Ard|Emerald Bay|" +
			"Fionnuala|Galtee|Glencree|Grianán|Inishmore|Kilbracken|Knockrea|Lahinch|Lisnagry|Loughrea|Mac Giolla|Mourne|" +
			"O'Faoláin|O'Rourke|Rathcarrick|Roscarbery|Shannonside|Slieve Bán|Suir|Tramore"),
		trades: alternatives("Agri|Builders|Catering|Components|Consulting|Creameries|Distribution|Electrical|Engineering|Fisheries|" +
			"Foods|Freight|Furniture|Hardware|Joinery|Logistics|Office Supplies|Packaging|Print|Services|Systems|Textiles|Timber"),
		patterns: []string{"%s %s"},
		streets:  alternatives("%d Main Street|%d O'Connell Street|Unit %d Docklands Park|%d Patrick Street"),
		cities: []city{{"Dublin", "D0# @#@#"}, {"Cork", "T12 @#@#"}, {"Galway", "H91 @#@#"}, {"Limerick", "V94 @#@#"},
			{"Waterford", "X91 @#@#"}},
		sectors: alternatives("46.90|43.21|62.01|25.62|10.71|47.91|49.41|18.12|31.01|46.73"),
		number:  func(i int) string { return fmt.Sprintf("98%04d", i*17+2) },
		address: codeLast,
	}
}

// luhn adds the check digit that French, Spanish and Italian numbers carry.
func luhn(s string) string {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return s + string(rune('0'+(10-sum%10)%10))
}
