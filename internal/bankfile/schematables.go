package bankfile

// The structures of messages, from the message definitions of ISO 20022 and the
// customer-to-bank implementation guidelines of the SEPA schemes. Parts that no
// file of ours has, such as tax or cheques, are Any: their place is checked, what
// is in them is not.

const pain001v09 = `
Document = CstmrCdtTrfInitn:Initiation
Initiation = GrpHdr:Header PmtInf:Batch+ SplmtryData:Any*
Header = MsgId:ID CreDtTm:DateTime Authstn:Any{2} NbOfTxs:Count CtrlSum:Sum? InitgPty:Party FwdgAgt:Agent? InitnSrc:Any?
Batch = PmtInfId:ID PmtMtd:TransferKind BtchBookg:Bool? NbOfTxs:Count? CtrlSum:Sum? PmtTpInf:Kind? ReqdExctnDt:DateOrTime PoolgAdjstmntDt:Date? Dbtr:Party DbtrAcct:Account DbtrAgt:Agent DbtrAgtAcct:Account? InstrForDbtrAgt:Text? UltmtDbtr:Party? ChrgBr:Bearer? ChrgsAcct:Account? ChrgsAcctAgt:Agent? CdtTrfTxInf:Transfer+
Kind = InstrPrty:Priority? SvcLvl:Code* LclInstrm:Code? CtgyPurp:Code?
DateOrTime | Dt:Date DtTm:DateTime
Transfer = PmtId:PaymentID PmtTpInf:Kind? Amt:AmountChoice XchgRateInf:Any? ChrgBr:Bearer? MndtRltdInf:Any? ChqInstr:Any? UltmtDbtr:Party? IntrmyAgt1:Agent? IntrmyAgt1Acct:Account? IntrmyAgt2:Agent? IntrmyAgt2Acct:Account? IntrmyAgt3:Agent? IntrmyAgt3Acct:Account? CdtrAgt:Agent? CdtrAgtAcct:Account? Cdtr:Party? CdtrAcct:Account? UltmtCdtr:Party? InstrForCdtrAgt:Any* InstrForDbtrAgt:Any? Purp:Code? RgltryRptg:Any{10} Tax:Any? RltdRmtInf:Any{10} RmtInf:Remittance? SplmtryData:Any*
AmountChoice | InstdAmt:Payable EqvtAmt:Any
`

const pain008v08 = `
Document = CstmrDrctDbtInitn:Initiation
Initiation = GrpHdr:Header PmtInf:Batch+ SplmtryData:Any*
Header = MsgId:ID CreDtTm:DateTime Authstn:Any{2} NbOfTxs:Count CtrlSum:Sum? InitgPty:Party FwdgAgt:Agent?
Batch = PmtInfId:ID PmtMtd:DebitKind BtchBookg:Bool? NbOfTxs:Count? CtrlSum:Sum? PmtTpInf:Kind? ReqdColltnDt:Date Cdtr:Party CdtrAcct:Account CdtrAgt:Agent CdtrAgtAcct:Account? UltmtCdtr:Party? ChrgBr:Bearer? ChrgsAcct:Account? ChrgsAcctAgt:Agent? CdtrSchmeId:Party? DrctDbtTxInf:Debit+
Kind = InstrPrty:Priority? SvcLvl:Code* LclInstrm:Code? SeqTp:SequenceKind? CtgyPurp:Code?
Debit = PmtId:PaymentID PmtTpInf:Kind? InstdAmt:Payable ChrgBr:Bearer? DrctDbtTx:DebitDetails? UltmtCdtr:Party? DbtrAgt:Agent DbtrAgtAcct:Account? Dbtr:Party DbtrAcct:Account UltmtDbtr:Party? InstrForCdtrAgt:Text? Purp:Code? RgltryRptg:Any{10} Tax:Any? RltdRmtInf:Any{10} RmtInf:Remittance? SplmtryData:Any*
DebitDetails = MndtRltdInf:MandateDetails? CdtrSchmeId:Party? PreNtfctnId:Max35? PreNtfctnDt:Date?
MandateDetails = MndtId:ID? DtOfSgntr:Date? AmdmntInd:Bool? AmdmntInfDtls:Any? ElctrncSgntr:Max1025? FrstColltnDt:Date? FnlColltnDt:Date? Frqcy:Any? Rsn:Any? TrckgDays:Any?
`

// painCommon are the types that versions of 2019 share.
const painCommon = painShared + `
PaymentID = InstrId:ID? EndToEndId:ID UETR:UUID?
Party = Nm:Name? PstlAdr:Address? Id:PartyID? CtryOfRes:Country? CtctDtls:Any?
OrganisationID = AnyBIC:BIC? LEI:LEI? Othr:OtherID*
Address = AdrTp:Any? Dept:Text? SubDept:Text? StrtNm:Text? BldgNb:Text? BldgNm:Text? Flr:Text? PstBx:Text? Room:Text? PstCd:Text? TwnNm:Text? TwnLctnNm:Text? DstrctNm:Text? CtrySubDvsn:Text? Ctry:Country? AdrLine:Name{7}
Account = Id:AccountID Tp:Code? Ccy:Currency? Nm:Name? Prxy:Any?
Institution = BICFI:BIC? ClrSysMmbId:Member? LEI:LEI? Nm:Text? PstlAdr:Address? Othr:OtherID?
`

const pain001v03 = `
Document = CstmrCdtTrfInitn:Initiation
Initiation = GrpHdr:Header PmtInf:Batch+
Header = MsgId:ID CreDtTm:DateTime Authstn:Any{2} NbOfTxs:Count CtrlSum:Sum? InitgPty:Party FwdgAgt:Agent?
Batch = PmtInfId:ID PmtMtd:TransferKind BtchBookg:Bool? NbOfTxs:Count? CtrlSum:Sum? PmtTpInf:Kind? ReqdExctnDt:Date PoolgAdjstmntDt:Date? Dbtr:Party DbtrAcct:Account DbtrAgt:Agent DbtrAgtAcct:Account? UltmtDbtr:Party? ChrgBr:Bearer? ChrgsAcct:Account? ChrgsAcctAgt:Agent? CdtTrfTxInf:Transfer+
Kind = InstrPrty:Priority? SvcLvl:Code? LclInstrm:Code? CtgyPurp:Code?
Transfer = PmtId:PaymentID PmtTpInf:Kind? Amt:AmountChoice XchgRateInf:Any? ChrgBr:Bearer? ChqInstr:Any? UltmtDbtr:Party? IntrmyAgt1:Agent? IntrmyAgt1Acct:Account? IntrmyAgt2:Agent? IntrmyAgt2Acct:Account? IntrmyAgt3:Agent? IntrmyAgt3Acct:Account? CdtrAgt:Agent? CdtrAgtAcct:Account? Cdtr:Party? CdtrAcct:Account? UltmtCdtr:Party? InstrForCdtrAgt:Any* InstrForDbtrAgt:Text? Purp:Code? RgltryRptg:Any{10} Tax:Any? RltdRmtInf:Any{10} RmtInf:Remittance?
AmountChoice | InstdAmt:Payable EqvtAmt:Any
`

// painCommonOld are the types of versions of 2009.
const painCommonOld = painShared + `
PaymentID = InstrId:ID? EndToEndId:ID
Party = Nm:Name? PstlAdr:Address? Id:PartyID? CtryOfRes:Country? CtctDtls:Any?
OrganisationID = BICOrBEI:BIC? Othr:OtherID*
Address = AdrTp:Any? Dept:Name? SubDept:Name? StrtNm:Name? BldgNb:Name? PstCd:Name? TwnNm:Name? CtrySubDvsn:Name? Ctry:Country? AdrLine:Name{7}
Account = Id:AccountID Tp:Code? Ccy:Currency? Nm:Name?
Institution = BIC:BIC? ClrSysMmbId:Member? Nm:Text? PstlAdr:Address? Othr:OtherID?
`

const painShared = `
Code | Cd:SEPA4 Prtry:SEPA35
PartyID | OrgId:OrganisationID PrvtId:PersonID
PersonID = DtAndPlcOfBirth:Any? Othr:OtherID*
OtherID = Id:ID SchmeNm:Code? Issr:ID?
AccountID | IBAN:IBAN Othr:OtherAccount
OtherAccount = Id:SEPA34 SchmeNm:Code? Issr:ID?
Agent = FinInstnId:Institution BrnchId:Any?
Member = ClrSysId:ClearingCode? MmbId:ID
ClearingCode | Cd:SEPA5 Prtry:SEPA35
Remittance = Ustrd:Text* Strd:Structured*
Structured = RfrdDocInf:Any* RfrdDocAmt:Any? CdtrRefInf:CreditorReference? Invcr:Any? Invcee:Any? TaxRmt:Any? GrnshmtRmt:Any? AddtlRmtInf:Text{3}
CreditorReference = Tp:ReferenceType? Ref:ID?
ReferenceType = CdOrPrtry:ReferenceCode Issr:ID?
ReferenceCode | Cd:ReferenceKind Prtry:SEPA35
`

const camt053v08 = `
Document = BkToCstmrStmt:Report
Report = GrpHdr:Header Stmt:Statement+ SplmtryData:Any*
Header = MsgId:Max35 CreDtTm:DateTime MsgRcpt:Any? MsgPgntn:Any? OrgnlBizQry:Any? AddtlInf:Max500?
Statement = Id:Max35 StmtPgntn:Any? ElctrncSeqNb:Number? RptgSeq:Any? LglSeqNb:Number? CreDtTm:DateTime? FrToDt:Period? CpyDplctInd:Any? RptgSrc:Any? Acct:StatementAccount RltdAcct:Any? Intrst:Any* Bal:Balance+ TxsSummry:Any? Ntry:Entry* AddtlStmtInf:Max500?
Period = FrDtTm:DateTime ToDtTm:DateTime
StatementAccount = Id:AccountID Tp:Any? Ccy:Currency? Nm:Max70? Prxy:Any? Ownr:Party? Svcr:Agent?
AccountID | IBAN:IBAN Othr:OtherAccount
OtherAccount = Id:Other34 SchmeNm:Code? Issr:Max35?
Code | Cd:Code4 Prtry:Max35
Party = Nm:Max140? PstlAdr:Any? Id:Any? CtryOfRes:Country? CtctDtls:Any?
Agent = FinInstnId:Institution BrnchId:Any?
Institution = BICFI:BIC? ClrSysMmbId:Any? LEI:LEI? Nm:Max140? PstlAdr:Any? Othr:Any?
Balance = Tp:BalanceType CdtLine:Any* Amt:Amount CdtDbtInd:CreditDebit Dt:DateOrTime Avlbty:Any*
BalanceType = CdOrPrtry:Code SubTp:Any?
DateOrTime | Dt:Date DtTm:DateTime
Entry = NtryRef:Max35? Amt:Amount CdtDbtInd:CreditDebit RvslInd:Bool? Sts:Code BookgDt:DateOrTime? ValDt:DateOrTime? AcctSvcrRef:Max35? Avlbty:Any* BkTxCd:TransactionCode ComssnWvrInd:Bool? AddtlInfInd:Any? AmtDtls:Any? Chrgs:Any? TechInptChanl:Any? Intrst:Any? CardTx:Any? NtryDtls:Details* AddtlNtryInf:Max500?
TransactionCode = Domn:Domain? Prtry:OwnCode?
Domain = Cd:Code4 Fmly:Family
Family = Cd:Code4 SubFmlyCd:Code4
OwnCode = Cd:Max35 Issr:Max35?
Details = Btch:Batch? TxDtls:Transaction*
Batch = MsgId:Max35? PmtInfId:Max35? NbOfTxs:Count? TtlAmt:Amount? CdtDbtInd:CreditDebit?
Transaction = Refs:References? Amt:Amount? CdtDbtInd:CreditDebit? AmtDtls:Any? Avlbty:Any* BkTxCd:TransactionCode? Chrgs:Any? Intrst:Any? RltdPties:Parties? RltdAgts:Agents? LclInstrm:Code? Purp:Code? RltdRmtInf:Any{10} RmtInf:Remittance? RltdDts:Any? RltdPric:Any? RltdQties:Any* FinInstrmId:Any? Tax:Any? RtrInf:Return? CorpActn:Any? SfkpgAcct:Any? CshDpst:Any* CardTx:Any? AddtlTxInf:Max500? SplmtryData:Any*
References = MsgId:Max35? AcctSvcrRef:Max35? PmtInfId:Max35? InstrId:Max35? EndToEndId:Max35? UETR:UUID? TxId:Max35? MndtId:Max35? ChqNb:Max35? ClrSysRef:Max35? AcctOwnrTxId:Max35? AcctSvcrTxId:Max35? MktInfrstrctrTxId:Max35? PrcgId:Max35? Prtry:Any*
Parties = InitgPty:PartyOrAgent? Dbtr:PartyOrAgent? DbtrAcct:StatementAccount? UltmtDbtr:PartyOrAgent? Cdtr:PartyOrAgent? CdtrAcct:StatementAccount? UltmtCdtr:PartyOrAgent? TradgPty:PartyOrAgent? Prtry:Any*
PartyOrAgent | Pty:Party Agt:Agent
Agents = InstgAgt:Agent? InstdAgt:Agent? DbtrAgt:Agent? CdtrAgt:Agent? IntrmyAgt1:Agent? IntrmyAgt2:Agent? IntrmyAgt3:Agent? RcvgAgt:Agent? DlvrgAgt:Agent? IssgAgt:Agent? SttlmPlc:Agent? Prtry:Any*
Remittance = Ustrd:Max140* Strd:Structured*
Structured = RfrdDocInf:Any* RfrdDocAmt:Any? CdtrRefInf:CreditorReference? Invcr:Any? Invcee:Any? TaxRmt:Any? GrnshmtRmt:Any? AddtlRmtInf:Max140{3}
CreditorReference = Tp:Any? Ref:Max35?
Return = OrgnlBkTxCd:TransactionCode? Orgtr:Party? Rsn:Code? AddtlInf:Max105*
`
