-- What was decided about alerts stays as it was written.
REVOKE UPDATE, DELETE, TRUNCATE ON public.transactions_fraudalertevent FROM bank_app;
