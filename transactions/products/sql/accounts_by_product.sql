-- Terms hold for the accounts of a product in a currency. The status and the number stand in the index,
-- too, so that neither counting them nor walking through them reads the table.
CREATE INDEX account_by_product ON public.accounts_account (product, currency, status, number);
